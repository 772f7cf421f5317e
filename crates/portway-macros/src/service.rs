//! A module with routes.

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Item, ItemMod, LitStr,
    ext::IdentExt,
    parse::{ParseStream, Parser},
};

use crate::{
    arguments::{Arguments, Shape},
    attributes::parted,
    facade::portway,
    route::{Route, attribute_of},
};

const ARGUMENTS: &[(&str, Shape)] = &[
    ("name", Shape::Text),
    ("prefix", Shape::Text),
    ("policy", Shape::Text),
    ("hosts", Shape::Texts),
    ("plugins", Shape::Texts),
];

pub(crate) fn expand(arguments: TokenStream, item: &TokenStream) -> syn::Result<TokenStream> {
    let read = |input: ParseStream<'_>| Arguments::read(input, ARGUMENTS);
    let arguments = read.parse2(arguments)?;
    if let Some(first) = &arguments.first {
        let message = format!("a service has a name and a prefix: `prefix = {:?}`", first.value());
        return Err(syn::Error::new(first.span(), message));
    }
    if let Some(prefix) = arguments.text("prefix") {
        check_prefix(prefix)?;
    }
    let module: ItemMod = syn::parse2(item.clone())
        .map_err(|_| syn::Error::new_spanned(item, "a service is a module: `mod sales { … }`"))?;
    let Some((_, items)) = &module.content else {
        let message = "a service is a module with its routes in braces: `mod sales { … }`";
        return Err(syn::Error::new_spanned(&module, message));
    };
    let (others, routes) = taken_apart(items)?;
    duplicates(&routes)?;
    let (mut functions, mut wrong) = (Vec::new(), None);
    for route in &routes {
        match route.function() {
            Ok(function) => functions.push(function),
            Err(error) => combine(&mut wrong, error),
        }
    }
    wrong.map_or(Ok(()), Err)?;
    let table = table(&arguments, &module, &routes);
    let ((outer, inner), vis, name) = (parted(&module.attrs), &module.vis, &module.ident);
    let portway = portway();
    Ok(quote! {
        #(#outer)*
        #vis mod #name {
            #(#inner)*
            #(#others)*
            #(#functions)*

            /// The table of the routes of this service.
            pub static SERVICE: #portway::code::Service = #table;

            /// The routes of this service, for the builder.
            #[must_use]
            pub fn routes() -> &'static #portway::code::Service {
                &SERVICE
            }
        }
    })
}

/// What is a route, and what is not.
fn taken_apart(items: &[Item]) -> syn::Result<(Vec<TokenStream>, Vec<Route>)> {
    let (mut others, mut routes, mut wrong) = (Vec::new(), Vec::new(), None::<syn::Error>);
    for item in items {
        let Item::Fn(function) = item else {
            others.push(quote!(#item));
            continue;
        };
        let mut function = function.clone();
        let route = attribute_of(&mut function).and_then(|attribute| match attribute {
            Some(attribute) => Route::read(function, &attribute).map(Some),
            None => Ok(None),
        });
        match route {
            Ok(Some(route)) => routes.push(route),
            Ok(None) => others.push(quote!(#item)),
            // All that is wrong is told at once.
            Err(error) => combine(&mut wrong, error),
        }
    }
    match wrong {
        Some(wrong) => Err(wrong),
        None => Ok((others, routes)),
    }
}

fn combine(wrong: &mut Option<syn::Error>, error: syn::Error) {
    match wrong {
        Some(wrong) => wrong.combine(error),
        None => *wrong = Some(error),
    }
}

fn duplicates(routes: &[Route]) -> syn::Result<()> {
    let (mut seen, mut wrong) = (HashMap::<String, &Route>::new(), None::<syn::Error>);
    // Of alternatives the compiler takes one, which only it knows.
    for route in routes.iter().filter(|route| !route.is_conditional()) {
        for shape in route.shapes() {
            if let Some(other) = seen.insert(shape, route) {
                let path = other.path().value();
                let message = format!("another route of this service takes the same: {path:?}");
                combine(&mut wrong, syn::Error::new(route.path().span(), message));
                // Once is enough for a route of several methods.
                break;
            }
        }
    }
    wrong.map_or(Ok(()), Err)
}

fn check_prefix(prefix: &LitStr) -> syn::Result<()> {
    let value = prefix.value();
    if !value.starts_with('/') {
        let message = format!("a prefix begins with a slash: \"/{value}\"");
        return Err(syn::Error::new(prefix.span(), message));
    }
    if value.contains(['{', '}']) {
        let message = "a prefix has no placeholders: put them into the paths of the routes";
        return Err(syn::Error::new(prefix.span(), message));
    }
    Ok(())
}

fn table(arguments: &Arguments, module: &ItemMod, routes: &[Route]) -> TokenStream {
    let portway = portway();
    let text = |name: &str, default: &str| match arguments.text(name) {
        Some(text) => quote!(#text),
        None => quote!(#default),
    };
    let name = text("name", &module.ident.unraw().to_string());
    let prefix = text("prefix", "");
    let policy = match arguments.text("policy") {
        Some(policy) => quote!(::core::option::Option::Some(#policy)),
        None => quote!(::core::option::Option::None),
    };
    let (hosts, plugins) = (arguments.texts("hosts"), arguments.texts("plugins"));
    let lines = routes.iter().map(Route::line);
    quote! {
        #portway::code::Service {
            name: #name,
            prefix: #prefix,
            policy: #policy,
            hosts: &[#(#hosts),*],
            plugins: &[#(#plugins),*],
            routes: &[#(#lines),*],
        }
    }
}
