//! Hooks, maps and handlers: a function that asks for what it needs becomes one that takes a
//! `Call`, with the author's own inside it.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{GenericParam, ItemFn, ReturnType, Signature, Type, spanned::Spanned};

use crate::{
    attributes::parted,
    facade::portway,
    inject::{self, Argument, Injection, Wish},
};

/// What a function is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Hook,
    Map,
    After,
    Handler,
}

impl Kind {
    fn noun(self) -> &'static str {
        match self {
            Self::Hook => "a hook",
            Self::Map => "a map",
            Self::After => "a response hook",
            Self::Handler => "a handler",
        }
    }
}

pub(crate) fn expand(
    kind: Kind,
    arguments: &TokenStream,
    item: TokenStream,
) -> syn::Result<TokenStream> {
    if !arguments.is_empty() {
        let message = format!("{} takes no arguments here", kind.noun());
        return Err(syn::Error::new_spanned(arguments, message));
    }
    let function: ItemFn = syn::parse2(item)?;
    rewritten(kind, &function, None)
}

/// The function that takes a `Call`. `input` is the type of what was read for a handler.
pub(crate) fn rewritten(
    kind: Kind,
    function: &ItemFn,
    input: Option<&Type>,
) -> syn::Result<TokenStream> {
    let sig = &function.sig;
    plain(kind, sig)?;
    if kind == Kind::Map {
        gives_result(sig)?;
    }
    let mut arguments = inject::arguments(kind.noun(), &sig.inputs)?;
    take_input(kind, &mut arguments, sig, input.is_some())?;
    inject::check(&arguments)?;
    foreign(kind, &arguments, sig)?;
    let rewriting = Rewriting::of(function, &arguments);
    Ok(match kind {
        Kind::Hook => rewriting.hook(),
        Kind::After => rewriting.after(),
        Kind::Map => rewriting.map(),
        Kind::Handler => rewriting.handler(),
    })
}

/// What the functions of all kinds are made of.
struct Rewriting<'a> {
    function: &'a ItemFn,
    /// The library, and its module for code.
    portway: TokenStream,
    code: TokenStream,
    /// The call of the author's function, whose outcome is `__out`, and what comes after its use.
    call: TokenStream,
    behind: TokenStream,
    /// The type of what was read, where the function wants it.
    input: Option<&'a Type>,
    /// Whether failures are wanted besides answers.
    wants_failures: bool,
}

impl<'a> Rewriting<'a> {
    fn of(function: &'a ItemFn, arguments: &'a [Argument]) -> Self {
        let portway = portway();
        let Injection { before, arguments: given, behind } = Injection::of(arguments, &portway);
        let (name, inner, parts) = (&function.sig.ident, inner(function), parts(arguments));
        let input = arguments.iter().find_map(|argument| match &argument.wish {
            Wish::Input { ty, .. } => Some(&**ty),
            _ => None,
        });
        let wants_failures =
            arguments.iter().any(|one| matches!(one.wish, Wish::Answer { outcome: true }));
        let call = quote! {
            #inner
            #before
            #parts
            let __out = #name(#(#given),*).await;
        };
        let code = quote!(#portway::code);
        Self { function, portway, code, call, behind, input, wants_failures }
    }

    /// With attributes, visibility and name of the author's function.
    fn signed(&self, signature: &TokenStream, body: &TokenStream) -> TokenStream {
        let ItemFn { attrs, vis, sig, .. } = self.function;
        let ((outer, inner), name) = (parted(attrs), &sig.ident);
        quote!(#(#outer)* #vis async fn #name #signature { #(#inner)* #body })
    }

    /// What the author has written behind the arrow: the place the compiler shows where its type
    /// does not fit.
    fn outcome(&self) -> Span {
        match &self.function.sig.output {
            ReturnType::Type(_, ty) => ty.span(),
            ReturnType::Default => self.function.sig.ident.span(),
        }
    }

    fn hook(&self) -> TokenStream {
        let Self { code, call, behind, .. } = self;
        let signature = quote! {
            (__call: &mut #code::Call<'_>) -> ::core::result::Result<(), #code::Halt>
        };
        let go_on = quote_spanned!(self.outcome()=> #code::HookOutput::go_on(__out));
        self.signed(&signature, &quote!(#call #behind #go_on))
    }

    fn after(&self) -> TokenStream {
        let Self { portway, code, call, behind, .. } = self;
        let signature = quote! {(
            __call: &mut #code::Call<'_>,
            __answer: &mut ::core::result::Result<
                #portway::plugin::Response,
                #portway::plugin::Error,
            >,
        ) -> ::core::result::Result<(), #code::Halt>};
        let only_answers = (!self.wants_failures).then(|| {
            quote! {
                let ::core::result::Result::Ok(__answer) = __answer else {
                    return ::core::result::Result::Ok(());
                };
            }
        });
        let go_on = quote_spanned!(self.outcome()=> #code::HookOutput::go_on(__out));
        let body = quote!(#only_answers #call #behind #go_on);
        self.signed(&signature, &body)
    }

    fn map(&self) -> TokenStream {
        let Self { code, call, behind, .. } = self;
        // One that wants the bytes alone does not care what they were read as.
        let (generic, input) = match self.input {
            Some(ty) => (TokenStream::new(), quote!(__input: #ty)),
            None => (quote!(<__I: ::core::marker::Send>), quote!(_: __I)),
        };
        let signature = quote! {
            #generic(
                __call: &mut #code::Call<'_>,
                #input,
            ) -> ::core::result::Result<(), #code::Halt>
        };
        let given = quote_spanned! {self.outcome()=>
            (&mut &mut &mut __out).given(__call.read_as())
        };
        let body = quote! {
            #call
            let __given = {
                #[allow(unused_imports)]
                use #code::give::{ByBytes as _, BySelf as _, ByValue as _};
                let __out = __out.map_err(::core::convert::Into::<#code::Halt>::into)?;
                let mut __out = #code::give::Found(::core::option::Option::Some(__out));
                #given?
            };
            #behind
            __call.put(__given)
        };
        self.signed(&signature, &body)
    }

    fn handler(&self) -> TokenStream {
        let Self { portway, code, call, behind, .. } = self;
        let input = self.input.map(|ty| quote!(__input: #ty,));
        let signature = quote! {(
            __call: &mut #code::Call<'_>,
            #input
        ) -> ::core::result::Result<#portway::plugin::Response, #code::Halt>};
        let reply = quote_spanned!(self.outcome()=> #code::Reply::reply(__out));
        let body = quote!(#call let __out = #reply; #behind __out);
        self.signed(&signature, &body)
    }
}

/// The author's own function, as it was written.
fn inner(function: &ItemFn) -> TokenStream {
    let ItemFn { mut sig, block, .. } = function.clone();
    inject::spell_lifetimes(&mut sig.inputs);
    quote! {
        #[allow(clippy::unused_async, clippy::needless_pass_by_value)]
        #sig #block
    }
}

/// Head and scope, where they are asked for.
fn parts(arguments: &[Argument]) -> TokenStream {
    let head = arguments.iter().any(|one| matches!(one.wish, Wish::Head { .. }));
    let scope = arguments.iter().any(|one| matches!(one.wish, Wish::Scope { .. }));
    match (head, scope) {
        (true, true) => quote!(let (__head, __scope) = __call.parts();),
        (true, false) => quote!(let __head = __call.head_mut();),
        (false, true) => quote!(let __scope = __call.scope();),
        (false, false) => TokenStream::new(),
    }
}

/// Only what a call can be made of.
fn plain(kind: Kind, sig: &Signature) -> syn::Result<()> {
    if sig.asyncness.is_none() {
        let message = format!("{} is an async function: `async fn {}`", kind.noun(), sig.ident);
        return Err(syn::Error::new(sig.fn_token.span, message));
    }
    let generic = sig.generics.params.iter().find(|one| !matches!(one, GenericParam::Lifetime(_)));
    match generic {
        Some(generic) => {
            let message = format!("{} has no generic parameters but lifetimes", kind.noun());
            Err(syn::Error::new_spanned(generic, message))
        }
        None => Ok(()),
    }
}

/// A map may fail, and its author says how.
fn gives_result(sig: &Signature) -> syn::Result<()> {
    let is_result = match &sig.output {
        ReturnType::Type(_, ty) => match &**ty {
            Type::Path(path) => {
                let last = path.path.segments.last().map(|one| one.ident.to_string());
                last.is_some_and(|last| last.ends_with("Result"))
            }
            _ => false,
        },
        ReturnType::Default => false,
    };
    if is_result {
        return Ok(());
    }
    let message = "a map gives back `MapResult<T>`, or `MapResult<()>` to leave the body as it is";
    Err(syn::Error::new(sig.ident.span(), message))
}

/// Finds out which argument is what was read.
fn take_input(
    kind: Kind,
    arguments: &mut [Argument],
    sig: &Signature,
    has_body: bool,
) -> syn::Result<()> {
    if kind != Kind::Map && !(kind == Kind::Handler && has_body) {
        return Ok(());
    }
    let own = arguments.iter().position(|one| matches!(one.wish, Wish::Owned(_)));
    let raw = || arguments.iter().position(|one| matches!(one.wish, Wish::RawBody));
    let lent =
        || arguments.iter().position(|one| matches!(one.wish, Wish::Lent { mutable: false, .. }));
    let Some(at) = own.or_else(|| raw().filter(|_| kind == Kind::Map)).or_else(lent) else {
        let message = format!(
            "{} takes what was read of the body: `async fn {}(input: T)`, or `RawBody`",
            kind.noun(),
            sig.ident
        );
        return Err(syn::Error::new(sig.ident.span(), message));
    };
    let wish = &mut arguments[at].wish;
    *wish = match wish {
        Wish::Owned(ty) => Wish::Input { ty: ty.clone(), by_reference: false },
        Wish::Lent { ty, .. } => Wish::Input { ty: ty.clone(), by_reference: true },
        _ => return Ok(()),
    };
    Ok(())
}

/// Refuses an answer where there is none, and its absence where there is one.
fn foreign(kind: Kind, arguments: &[Argument], sig: &Signature) -> syn::Result<()> {
    let answer = arguments.iter().find(|one| matches!(one.wish, Wish::Answer { .. }));
    match (kind, answer) {
        (Kind::After, None) => {
            let message = "a response hook takes the answer: `answer: &mut Response`, or \
                           `&mut Result<Response, Error>` to see failures too";
            // What was meant to be the answer, if anything was.
            let meant = arguments.iter().find(|one| inject::is_answer(&one.ty));
            Err(match meant {
                Some(meant) => syn::Error::new_spanned(&meant.ty, message),
                None => syn::Error::new(sig.ident.span(), message),
            })
        }
        (Kind::After, _) | (_, None) => Ok(()),
        (_, Some(answer)) => {
            let message = format!("{} has no answer yet: make it `#[portway::after]`", kind.noun());
            Err(syn::Error::new_spanned(&answer.ty, message))
        }
    }
}
