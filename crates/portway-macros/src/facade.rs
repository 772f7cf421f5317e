//! What the library is called in the crate that uses it.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

/// The path of the library: `::portway`, or what it was renamed to in Cargo.toml.
pub(crate) fn portway() -> TokenStream {
    let name = match crate_name("portway") {
        Ok(FoundCrate::Name(name)) => name,
        // The library's own tests and examples see it by its name.
        Ok(FoundCrate::Itself) | Err(_) => "portway".to_owned(),
    };
    let name = Ident::new(&name, Span::call_site());
    quote!(::#name)
}

/// Whether an attribute is one of the library's, and its last word: `#[get(…)]`,
/// `#[portway::get(…)]`.
pub(crate) fn attribute(path: &syn::Path) -> Option<String> {
    let words: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let named = portway().to_string();
    match &words[..] {
        [word] => Some(word.clone()),
        [library, word] if library == "portway" || named.ends_with(&format!(" {library}")) => {
            Some(word.clone())
        }
        _ => None,
    }
}
