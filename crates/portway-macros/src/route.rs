//! One route: what its attribute says, its line in the table, its function.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Attribute, ItemFn, LitStr, Meta, ReturnType,
    ext::IdentExt,
    parse::{ParseStream, Parser},
    spanned::Spanned,
};

use crate::{
    arguments::{Arguments, Shape},
    attributes::{conditions, parted},
    facade::{attribute, portway},
    function::{self, Kind},
    measure, path,
};

const ARGUMENTS: &[(&str, Shape)] = &[
    ("to", Shape::Text),
    ("path", Shape::Type),
    ("query", Shape::Type),
    ("json", Shape::Type),
    ("form", Shape::Type),
    ("multipart", Shape::Flag),
    ("before", Shape::Functions),
    ("map", Shape::Function),
    ("after", Shape::Functions),
    ("handler", Shape::Flag),
    ("policy", Shape::Text),
    ("timeout", Shape::Text),
    ("body_limit", Shape::Text),
    ("hosts", Shape::Texts),
    ("plugins", Shape::Texts),
];

/// The attributes, each with its methods.
const METHODS: &[(&str, &[&str])] = &[
    ("get", &["GET"]),
    ("post", &["POST"]),
    ("put", &["PUT"]),
    ("delete", &["DELETE"]),
    ("patch", &["PATCH"]),
    ("head", &["HEAD"]),
    ("options", &["OPTIONS"]),
    ("any", &[]),
    ("route", &[]),
];

/// A route, taken apart.
pub(crate) struct Route {
    function: ItemFn,
    methods: Vec<String>,
    path: LitStr,
    arguments: Arguments,
    placeholders: Vec<String>,
}

/// The attribute of a function that makes it a route, taken off it.
pub(crate) fn attribute_of(function: &mut ItemFn) -> syn::Result<Option<Attribute>> {
    let is_route = |one: &Attribute| {
        attribute(one.path()).is_some_and(|word| METHODS.iter().any(|(name, _)| *name == word))
    };
    let Some(at) = function.attrs.iter().position(is_route) else { return Ok(None) };
    let found = function.attrs.remove(at);
    match function.attrs.iter().find(|one| is_route(one)) {
        Some(second) => {
            let message = "a function is one route: for several methods, write \
                           `#[portway::route(\"/path\", methods = [\"GET\", \"POST\"])]`";
            Err(syn::Error::new_spanned(second, message))
        }
        None => Ok(Some(found)),
    }
}

impl Route {
    pub(crate) fn read(function: ItemFn, attribute_: &Attribute) -> syn::Result<Self> {
        let word = attribute(attribute_.path()).unwrap_or_default();
        let fixed =
            METHODS.iter().find(|(name, _)| *name == word).map_or(&[][..], |(_, list)| list);
        let mut known = ARGUMENTS.to_vec();
        if word == "route" {
            known.push(("methods", Shape::Texts));
        }
        let read = |input: ParseStream<'_>| Arguments::read(input, &known);
        let wrong = |message: String| syn::Error::new_spanned(attribute_, message);
        let arguments = match &attribute_.meta {
            Meta::List(list) => read.parse2(list.tokens.clone())?,
            _ => return Err(wrong(format!("a route has a path: `#[{word}(\"/path\")]`"))),
        };
        let path = arguments.first.clone();
        let path =
            path.ok_or_else(|| wrong(format!("a route has a path: `#[{word}(\"/path\")]`")))?;
        let placeholders = path::placeholders(&path)?;
        let methods = match word.as_str() {
            "route" => methods(&arguments, attribute_)?,
            _ => fixed.iter().map(ToString::to_string).collect(),
        };
        let route = Self { function, methods, path, arguments, placeholders };
        route.check()?;
        Ok(route)
    }

    /// What is the same for two routes that take the same requests.
    pub(crate) fn shapes(&self) -> Vec<String> {
        let hosts: Vec<_> = self.arguments.texts("hosts").iter().map(LitStr::value).collect();
        let shape = format!("{} {}", hosts.join(","), path::shape(&self.path.value()));
        match &self.methods[..] {
            [] => vec![format!("* {shape}")],
            methods => methods.iter().map(|method| format!("{method} {shape}")).collect(),
        }
    }

    pub(crate) fn path(&self) -> &LitStr {
        &self.path
    }

    /// Whether it depends on how the program is built.
    pub(crate) fn is_conditional(&self) -> bool {
        !conditions(&self.function.attrs).is_empty()
    }

    /// Arguments that contradict each other, or that cannot be.
    fn check(&self) -> syn::Result<()> {
        let arguments = &self.arguments;
        let wrong = |name: &str, message: &str| Err(syn::Error::new(arguments.span(name), message));
        let bodies: Vec<_> =
            ["json", "form", "multipart"].into_iter().filter(|name| arguments.has(name)).collect();
        if let [first, second, ..] = bodies[..] {
            let message = format!("the body is read once: `{first}` or `{second}`, not both");
            return wrong(second, &message);
        }
        if let Some(to) = arguments.text("to") {
            path::template(to, &self.placeholders)?;
        }
        if let Some(timeout) = arguments.text("timeout") {
            measure::duration("timeout", timeout)?;
        }
        if let Some(limit) = arguments.text("body_limit") {
            measure::size("body_limit", limit)?;
        }
        if arguments.has("path") && self.placeholders.is_empty() {
            return wrong("path", "`path` reads placeholders, and the path of the route has none");
        }
        if let (Some(path), Some(query)) = (arguments.ty("path"), arguments.ty("query"))
            && path == query
        {
            let message = "what `path` and `query` read is told apart by its type: give them two";
            return wrong("query", message);
        }
        if self.has_code() && self.function.sig.ident == "routes" {
            let message = "`routes` gives the builder the routes of the service: call the route \
                           something else";
            return Err(syn::Error::new(self.function.sig.ident.span(), message));
        }
        if arguments.has("handler") {
            for name in ["to", "map", "policy"] {
                if arguments.has(name) {
                    let message = format!("a handler answers itself, so `{name}` says nothing");
                    return wrong(name, &message);
                }
            }
        } else if !self.function.block.stmts.is_empty() {
            let message = "the body of a route is run with `handler` alone: without it, requests \
                           are forwarded. Leave it empty, or add `handler`";
            return Err(syn::Error::new_spanned(&self.function.block, message));
        } else if !self.function.sig.inputs.is_empty() {
            let message = "a route without `handler` has no arguments: its hooks and maps have";
            return Err(syn::Error::new_spanned(&self.function.sig.inputs, message));
        } else if let ReturnType::Type(_, ty) = &self.function.sig.output {
            let message =
                "a route without `handler` gives nothing back: its answer is the upstream's";
            return Err(syn::Error::new_spanned(ty, message));
        }
        Ok(())
    }

    /// Its line in the table.
    pub(crate) fn line(&self) -> TokenStream {
        let Self { function, methods, path, arguments, .. } = self;
        let code = {
            let portway = portway();
            quote!(#portway::code)
        };
        let name = function.sig.ident.unraw().to_string();
        let conditions = conditions(&function.attrs);
        let option = |name: &str| match arguments.text(name) {
            Some(text) => quote!(::core::option::Option::Some(#text)),
            None => quote!(::core::option::Option::None),
        };
        let (to, policy) = (option("to"), option("policy"));
        let (timeout, body_limit) = (option("timeout"), option("body_limit"));
        let (hosts, plugins) = (arguments.texts("hosts"), arguments.texts("plugins"));
        let answers = arguments.has("handler");
        let run = match self.has_code() {
            true => {
                let function = &function.sig.ident;
                quote_spanned!(function.span()=> ::core::option::Option::Some(
                    |__call| ::std::boxed::Box::pin(#function(__call))
                ))
            }
            false => quote!(::core::option::Option::None),
        };
        quote! {
            #(#conditions)*
            #code::Route {
                name: #name,
                methods: &[#(#methods),*],
                path: #path,
                to: #to,
                policy: #policy,
                timeout: #timeout,
                body_limit: #body_limit,
                hosts: &[#(#hosts),*],
                plugins: &[#(#plugins),*],
                answers: #answers,
                code: #run,
            }
        }
    }

    /// Whether there is anything to do but to forward.
    fn has_code(&self) -> bool {
        let names =
            ["path", "query", "json", "form", "multipart", "before", "map", "after", "handler"];
        names.into_iter().any(|name| self.arguments.has(name))
    }

    /// Its function. A route without code has none.
    pub(crate) fn function(&self) -> syn::Result<TokenStream> {
        if !self.has_code() {
            return Ok(TokenStream::new());
        }
        let Self { function, arguments, .. } = self;
        let portway = portway();
        let code = quote!(#portway::code);
        let ((outer, inner), name) = (parted(&function.attrs), &function.sig.ident);
        let mut steps = TokenStream::new();
        for argument in ["path", "query"] {
            if let Some(ty) = arguments.ty(argument) {
                let read = format_ident!("read_{argument}", span = ty.span());
                steps.extend(quote_spanned! {ty.span()=>
                    let __read: #ty = __call.#read()?;
                    __call.scope().insert(__read);
                });
            }
        }
        for hook in arguments.functions("before") {
            steps.extend(quote_spanned!(hook.span()=> #hook(__call).await?;));
        }
        let input = arguments.ty("json").or_else(|| arguments.ty("form"));
        steps.extend(self.reading());
        if let Some(map) = arguments.function("map") {
            steps.extend(quote_spanned!(map.span()=> #map(__call, __input).await?;));
        }
        let after = arguments.functions("after");
        let answer = self.answer(input)?;
        let rest = match after {
            [] => quote!(#answer),
            after => {
                let hooks = after
                    .iter()
                    .map(|hook| quote_spanned!(hook.span()=> #hook(__call, &mut __answer).await?;));
                quote! {
                    let mut __answer = { #answer };
                    #(#hooks)*
                    ::core::result::Result::Ok(__answer?)
                }
            }
        };
        Ok(quote! {
            #(#outer)*
            async fn #name(
                __call: &mut #code::Call<'_>,
            ) -> ::core::result::Result<#portway::plugin::Response, #code::Halt> {
                #(#inner)*
                #steps
                #rest
            }
        })
    }

    /// Reads the body, if anybody wants it.
    fn reading(&self) -> TokenStream {
        let arguments = &self.arguments;
        let is_used = arguments.has("map") || arguments.has("handler");
        let input = if is_used { quote!(__input) } else { quote!(_) };
        if let Some(ty) = arguments.ty("json") {
            return quote_spanned!(ty.span()=> let #input: #ty = __call.read_json().await?;);
        }
        if let Some(ty) = arguments.ty("form") {
            return quote_spanned!(ty.span()=> let #input: #ty = __call.read_form().await?;);
        }
        let multipart = arguments.has("multipart").then(|| quote!(__call.expect_multipart()?;));
        let nothing = arguments.has("map").then(|| quote!(let __input = ();));
        quote!(#multipart #nothing)
    }

    /// Where the answer comes from: `Result<Response, Halt>`, or with `Error` for response hooks.
    fn answer(&self, input: Option<&syn::Type>) -> syn::Result<TokenStream> {
        let has_after = self.arguments.has("after");
        if !self.arguments.has("handler") {
            return Ok(match has_after {
                true => quote!(__call.send().await),
                false => quote!(__call.forward().await),
            });
        }
        let function = ItemFn { attrs: Vec::new(), ..self.function.clone() };
        let handler = function::rewritten(Kind::Handler, &function, input)?;
        let (name, portway) = (&self.function.sig.ident, portway());
        let code = quote!(#portway::code);
        let call = match input {
            Some(_) => quote!(#name(__call, __input).await),
            None => quote!(#name(__call).await),
        };
        Ok(match has_after {
            true => quote!(#handler #call.or_else(#code::Halt::into_result)),
            false => quote!(#handler #call),
        })
    }
}

/// The methods of `route`.
fn methods(arguments: &Arguments, attribute: &Attribute) -> syn::Result<Vec<String>> {
    let methods = arguments.texts("methods");
    if methods.is_empty() {
        let message =
            "`route` lists its methods: `methods = [\"GET\", \"PURGE\"]`; `any` takes all";
        return Err(syn::Error::new_spanned(attribute, message));
    }
    for method in methods {
        let value = method.value();
        if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
        {
            let message = "a method is written in upper case: \"GET\"";
            return Err(syn::Error::new(method.span(), message));
        }
    }
    Ok(methods.iter().map(LitStr::value).collect())
}
