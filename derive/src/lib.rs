//! `#[derive(FromJson)]`: reads a record from a JSON value. serde's own `Deserialize` takes six times the code, because it reads any
//! format, names every error and reads each record in several ways; here one function reads each type, from one format.
//!
//! It obeys the attributes that serde's `Serialize` has: `rename_all` and `rename`, `tag` and `default`. Unknown fields are errors.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::{
    Attribute, Data, DeriveInput, Error, Fields, FieldsNamed, LitStr, Result, parse_macro_input,
};

/// Implements the crate's `FromJson`, and by it serde's `Deserialize`, for a struct with named fields, for an enum of names, or for
/// an enum of structs with a tag.
#[proc_macro_derive(FromJson, attributes(serde))]
pub fn from_json(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    implementation(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn implementation(input: &DeriveInput) -> Result<Tokens> {
    let name = &input.ident;
    let body = match &input.data {
        Data::Struct(record) => {
            let built = built(quote!(Self), &record.fields)?;
            quote! {
                let mut fields = crate::from_json::Fields::of(value)?;
                let read = #built;
                fields.are_all_read().then_some(read)
            }
        }
        Data::Enum(kinds) => {
            let attributes = Attributes::of(&input.attrs)?;
            let mut arms = Vec::new();
            for kind in &kinds.variants {
                let (ident, own) = (&kind.ident, Attributes::of(&kind.attrs)?);
                let name = own.rename.unwrap_or_else(|| attributes.renamed(&ident.to_string()));
                let built = match attributes.tag {
                    Some(_) => built(quote!(Self::#ident), &kind.fields)?,
                    None => quote!(Self::#ident),
                };
                arms.push(quote!(#name => #built,));
            }
            match &attributes.tag {
                Some(tag) => quote! {
                    let mut fields = crate::from_json::Fields::of(value)?;
                    let read = match fields.tag(#tag)? { #(#arms)* _ => return None };
                    fields.are_all_read().then_some(read)
                },
                None => quote!(Some(match value.as_str()? { #(#arms)* _ => return None })),
            }
        }
        Data::Union(_) => return Err(Error::new_spanned(name, "a union has no names in JSON")),
    };
    Ok(quote! {
        impl crate::from_json::FromJson for #name {
            fn read(value: &::serde_json::Value) -> Option<Self> { #body }
        }

        impl<'de> ::serde::Deserialize<'de> for #name {
            fn deserialize<D: ::serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
                crate::from_json::deserialize(source, stringify!(#name))
            }
        }
    })
}

/// `path { field: read, .. }`.
fn built(path: Tokens, fields: &Fields) -> Result<Tokens> {
    let Fields::Named(FieldsNamed { named, .. }) = fields else {
        return Err(Error::new_spanned(fields, "only named fields have names in JSON"));
    };
    let mut parts = Vec::new();
    for field in named {
        let ident = field.ident.as_ref().expect("a named field");
        let attributes = Attributes::of(&field.attrs)?;
        let name = attributes.rename.unwrap_or_else(|| ident.to_string());
        parts.push(match attributes.default {
            true => quote!(#ident: fields.read_or_default(#name)?),
            false => quote!(#ident: fields.read(#name)?),
        });
    }
    Ok(quote!(#path { #(#parts),* }))
}

/// What serde's attributes of a type, a variant or a field say.
#[derive(Default)]
struct Attributes {
    tag: Option<String>,
    rename: Option<String>,
    rename_all: Option<String>,
    default: bool,
}

impl Attributes {
    fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut found = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
            attribute.parse_nested_meta(|meta| {
                let text = || Ok::<_, Error>(Some(meta.value()?.parse::<LitStr>()?.value()));
                let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
                match name.as_str() {
                    "tag" => found.tag = text()?,
                    "rename" => found.rename = text()?,
                    "rename_all" => found.rename_all = text()?,
                    "default" => found.default = true,
                    _ => return Err(meta.error("FromJson does not know this attribute")),
                }
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// The name in JSON of a variant: `MaxPool` is `max_pool` or `maxpool`.
    fn renamed(&self, variant: &str) -> String {
        let words = match self.rename_all.as_deref() {
            None => return variant.into(),
            Some("lowercase") => "",
            Some(_) => "_",
        };
        let mut name = String::new();
        for letter in variant.chars() {
            if letter.is_uppercase() && !name.is_empty() {
                name.push_str(words);
            }
            name.extend(letter.to_lowercase());
        }
        name
    }
}
