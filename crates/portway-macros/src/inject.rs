//! What the arguments of a function are, and how they are had.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    FnArg, Ident, Pat, PatType, PathArguments, Token, Type, TypeReference, parse_quote,
    punctuated::Punctuated, spanned::Spanned,
};

/// What an argument is.
pub(crate) enum Wish {
    /// The head of the request.
    Head { mutable: bool },
    /// The scope.
    Scope { mutable: bool },
    /// The answer, or the outcome, for a response hook.
    Answer { outcome: bool },
    /// The whole body.
    RawBody,
    /// Something by reference.
    Lent { ty: Box<Type>, mutable: bool },
    /// Something of its own.
    Owned(Box<Type>),
    /// What was read of the request's body, of its own or by reference.
    Input { ty: Box<Type>, by_reference: bool },
}

/// An argument with its place.
pub(crate) struct Argument {
    pub(crate) wish: Wish,
    /// Its type as it was written.
    pub(crate) ty: Type,
}

/// Reads the arguments of a function.
pub(crate) fn arguments(
    noun: &str,
    inputs: &Punctuated<FnArg, Token![,]>,
) -> syn::Result<Vec<Argument>> {
    inputs
        .iter()
        .map(|input| match input {
            FnArg::Receiver(receiver) => {
                let message = format!("{noun} is a function by itself, without `self`");
                Err(syn::Error::new_spanned(receiver, message))
            }
            FnArg::Typed(PatType { pat, ty, .. }) => {
                if !matches!(
                    &**pat,
                    Pat::Ident(_)
                        | Pat::Wild(_)
                        | Pat::TupleStruct(_)
                        | Pat::Struct(_)
                        | Pat::Tuple(_)
                ) {
                    let message = "an argument is written `name: Type`";
                    return Err(syn::Error::new_spanned(pat, message));
                }
                Ok(Argument { wish: wish(ty)?, ty: (**ty).clone() })
            }
        })
        .collect()
}

fn wish(ty: &Type) -> syn::Result<Wish> {
    let Type::Reference(TypeReference { elem, mutability, .. }) = ty else {
        return match last_word(ty).as_deref() {
            Some(word @ ("Head" | "Scope")) => {
                let message = format!("`{word}` is given by reference: `&mut {word}`");
                Err(syn::Error::new_spanned(ty, message))
            }
            Some("RawBody") => Ok(Wish::RawBody),
            _ => Ok(Wish::Owned(Box::new(ty.clone()))),
        };
    };
    let mutable = mutability.is_some();
    Ok(match last_word(elem).as_deref() {
        Some("Head") => Wish::Head { mutable },
        Some("Scope") => Wish::Scope { mutable },
        Some("Response") if mutable => Wish::Answer { outcome: false },
        Some("Result") if mutable => Wish::Answer { outcome: true },
        Some("RawBody") => {
            let message = "`RawBody` is given as it is: `RawBody`";
            return Err(syn::Error::new_spanned(ty, message));
        }
        _ => Wish::Lent { ty: elem.clone(), mutable },
    })
}

/// Whether a type is the answer, however it is written.
pub(crate) fn is_answer(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => is_answer(&reference.elem),
        ty => matches!(last_word(ty).as_deref(), Some("Response")),
    }
}

fn last_word(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(path) => Some(path.path.segments.last()?.ident.to_string()),
        _ => None,
    }
}

/// `&mut Head` may be written for `&mut Head<'_>`, which an async function would have to say.
pub(crate) fn spell_lifetimes(inputs: &mut Punctuated<FnArg, Token![,]>) {
    for input in inputs {
        let FnArg::Typed(PatType { ty, .. }) = input else { continue };
        let Type::Reference(TypeReference { elem, .. }) = &mut **ty else { continue };
        let is_ours = matches!(last_word(elem).as_deref(), Some("Head" | "Scope"));
        if let (true, Type::Path(path)) = (is_ours, &mut **elem)
            && let Some(last) = path.path.segments.last_mut()
            && last.arguments.is_none()
        {
            last.arguments = PathArguments::AngleBracketed(parse_quote!(<'_>));
        }
    }
}

/// Whether values of the type can only be borrowed: `str`, `[T]`, `dyn Trait`.
fn is_unsized(ty: &Type) -> bool {
    matches!(ty, Type::Slice(_) | Type::TraitObject(_)) || last_word(ty).as_deref() == Some("str")
}

/// Refuses what cannot be given at the same time.
pub(crate) fn check(arguments: &[Argument]) -> syn::Result<()> {
    let twice = |argument: &Argument, what: &str| {
        Err(syn::Error::new_spanned(&argument.ty, format!("{what} is asked for twice")))
    };
    let (mut head, mut scope, mut answer, mut raw) = (false, false, false, false);
    let mut lent: Vec<(String, bool)> = Vec::new();
    for argument in arguments {
        let seen = match &argument.wish {
            Wish::Head { .. } => (&mut head, "`Head`"),
            Wish::Scope { .. } => (&mut scope, "`Scope`"),
            Wish::Answer { .. } => (&mut answer, "the answer"),
            Wish::RawBody => (&mut raw, "`RawBody`"),
            Wish::Lent { ty, mutable } => {
                if is_unsized(ty) {
                    let message = "nobody can share or leave a value of this type: ask for `&String`, `&Vec<T>`, or a type of your own";
                    return Err(syn::Error::new_spanned(&argument.ty, message));
                }
                let text = quote!(#ty).to_string();
                if let Some((_, other)) = lent.iter().find(|(other, _)| *other == text) {
                    let shown = text.replace(' ', "");
                    let message = match (*mutable, *other) {
                        (true, true) => format!("`&mut {shown}` is asked for twice"),
                        (false, false) => format!("`&{shown}` is asked for twice"),
                        _ => format!(
                            "`{shown}` is asked for both to read and to change: `&mut {shown}` alone does both"
                        ),
                    };
                    return Err(syn::Error::new_spanned(&argument.ty, message));
                }
                lent.push((text, *mutable));
                continue;
            }
            Wish::Owned(_) | Wish::Input { .. } => continue,
        };
        if std::mem::replace(seen.0, true) {
            return twice(argument, seen.1);
        }
    }
    Ok(())
}

/// How the arguments of a function are had, in three steps around the call.
pub(crate) struct Injection {
    /// Makes what is made and takes what is lent, from `__call`.
    pub(crate) before: TokenStream,
    /// The arguments, which borrow from all that.
    pub(crate) arguments: Vec<TokenStream>,
    /// Gives back what was lent.
    pub(crate) behind: TokenStream,
}

impl Injection {
    pub(crate) fn of(arguments: &[Argument], portway: &TokenStream) -> Self {
        let (mut made, mut lent, mut behind) =
            (TokenStream::new(), TokenStream::new(), TokenStream::new());
        let mut given = Vec::new();
        for (at, Argument { wish, ty: written }) in arguments.iter().enumerate() {
            let name = format_ident!("__argument_{at}", span = Span::mixed_site());
            let place = written.span();
            given.push(match wish {
                Wish::Head { mutable: true } => quote!(__head),
                Wish::Head { mutable: false } => quote!(&*__head),
                Wish::Scope { mutable: true } => quote!(__scope),
                Wish::Scope { mutable: false } => quote!(&*__scope),
                Wish::Answer { .. } => quote!(__answer),
                Wish::RawBody => {
                    made.extend(quote!(let #name = __call.raw_body().await?;));
                    quote!(#name)
                }
                Wish::Owned(ty) => {
                    made.extend(owned(&name, ty, portway));
                    quote!(#name)
                }
                Wish::Input { by_reference: false, .. } => quote!(__input),
                Wish::Input { by_reference: true, .. } => quote!(&__input),
                Wish::Lent { ty, mutable } => {
                    let method = if *mutable { quote!(lend_mut) } else { quote!(lend) };
                    lent.extend(quote_spanned! {place=>
                        #[allow(unused_mut)]
                        let mut #name = __call.#method::<#ty>()?;
                    });
                    behind.extend(quote!(__call.give_back(#name);));
                    match mutable {
                        true => quote!(#name.get_mut()?),
                        false => quote!(#name.get()),
                    }
                }
            });
        }
        Self { before: quote!(#made #lent), arguments: given, behind }
    }
}

fn owned(name: &Ident, ty: &Type, portway: &TokenStream) -> TokenStream {
    let wanted = quote_spanned!(ty.span()=> #portway::code::inject::Wanted::<#ty>::new());
    quote! {
        let #name: #ty = {
            #[allow(unused_imports)]
            use #portway::code::inject::{
                Made as _, Perhaps as _, PerhapsCloned as _, Taken as _, TakenOrCloned as _,
            };
            (&&&&&#wanted).take(__call)?
        };
    }
}
