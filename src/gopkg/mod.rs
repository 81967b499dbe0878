//! The Go side of the package.
#![allow(missing_docs)]
use crate::diag::Result;
use std::path::*;
pub struct Place {
    pub dir: PathBuf,
    pub stem: String,
    pub package: String,
    pub import_path: Option<String>,
}
pub fn place(
    _: &[PathBuf],
    _: &Path,
    _: Option<&str>,
    _: Option<&str>,
    _: Option<&str>,
    _: Option<&str>,
) -> Result<Place> {
    unimplemented!()
}
pub struct Request<'a> {
    pub place: &'a Place,
    pub api: &'a crate::model::Api,
    pub arch: &'a dyn crate::arch::Arch,
    pub trim_prefix: Option<&'a str>,
    pub wrapper: &'a dyn Fn(&str) -> String,
    pub command: String,
    pub rustc: Option<String>,
    pub rsyso: String,
    pub sha256: String,
}
pub struct GoFile {
    pub name: String,
    pub text: String,
}
pub struct Package {
    pub files: Vec<GoFile>,
    pub declarations: Vec<String>,
}
pub fn generate(_: &Request) -> Result<Package> {
    unimplemented!()
}
pub fn write(_: &Place, _: Vec<(String, Vec<u8>)>) -> Result<Vec<PathBuf>> {
    unimplemented!()
}
pub fn library_name(_: &[PathBuf]) -> String {
    unimplemented!()
}
pub fn check(_: &crate::model::Api) -> Result<()> {
    Ok(())
}
pub fn declaration(_: &crate::model::Api, _: &crate::model::Function) -> String {
    String::new()
}
