//! The laws of `ARCHITECTURE.md` that can be kept by reading the sources.
//!
//! What is read are tokens: what stands in comments, in documentation or in the text of a message counts for nothing, and
//! neither does what is compiled for tests only.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};

/// A source file: its path from the root of the repository, and what it names: all identifiers, and the rooms of its crate
/// as `crate::room`.
struct Source {
    path: String,
    names: Vec<String>,
}

impl Source {
    /// Panics, with the law, if the file names one of these words.
    fn never_names(&self, words: &str, law: &str) {
        let named = self.names.iter().find(|name| words.split(' ').any(|word| word == **name));
        assert!(named.is_none(), "{} names `{}`, but {law}", self.path, named.map_or("", |name| name));
    }

    fn is_in(&self, rooms: &[&str]) -> bool {
        rooms.iter().any(|room| self.path.starts_with(room))
    }
}

#[test]
fn the_macros_know_no_op_layer_optimiser_or_device() {
    for source in sources("macros/src") {
        let law = "`macros/` knows only the contracts of ops and modules";
        source.never_names("relu softmax matmul avg_pool conv dense batch_norm dropout adam sgd cuda", law);
        source.never_names("Conv Dense BatchNorm Dropout Adam Sgd Cuda", law);
    }
}

#[test]
fn the_stages_of_the_compiler_run_one_way() {
    for source in sources("macros/src") {
        if source.is_in(&["macros/src/parse/", "macros/src/ir/"]) {
            source.never_names("crate::analyze crate::lower crate::emit", "these stages come after it");
        }
        if source.is_in(&["macros/src/analyze/", "macros/src/lower/"]) {
            source.never_names("crate::parse crate::emit syn", "it works on the IR");
        }
        if source.is_in(&["macros/src/analyze/"]) {
            source.never_names("crate::lower", "this stage comes after it");
        }
        if source.is_in(&["macros/src/ir/", "macros/src/analyze/", "macros/src/lower/"]) {
            source.never_names("quote quote_spanned", "code is made in `emit/`");
        }
        if source.path != "macros/src/lib.rs" {
            source.never_names("proc_macro", "only `lib.rs` talks to rustc");
        }
    }
}

#[test]
fn layers_go_through_public_doors() {
    for source in sources("runtime/src/nn") {
        source.never_names("crate::backend storage", "a layer is made of ops");
    }
}

#[test]
fn unsafe_code_is_in_its_rooms() {
    for source in ["macros", "runtime", "examples", "tests"].into_iter().flat_map(sources) {
        // The bench calls other crates, which take pointers.
        let rooms =
            ["runtime/src/backend/cpu", "runtime/src/tensor/storage.rs", "runtime/benches/products.rs"];
        if !source.is_in(&rooms) {
            source.never_names("unsafe unsafe_code", "`unsafe` has two rooms");
        }
    }
}

#[test]
fn a_device_is_a_folder() {
    for source in ["runtime", "examples", "tests"].into_iter().flat_map(sources) {
        if !source.is_in(&["runtime/src/backend/"]) {
            source.never_names("cpu cuda", "a device is known to `backend/` only");
        }
    }
}

#[test]
fn files_are_short() {
    for path in ["macros", "runtime", "examples", "tests"].into_iter().flat_map(files) {
        let lines = read(&path).lines().count();
        assert!(lines <= 700, "{} has {lines} lines: 700 are too many for one idea", path.display());
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace around this package")
}

/// The sources in a folder.
fn sources(folder: &str) -> impl Iterator<Item = Source> {
    files(folder).into_iter().map(|path| {
        let tokens = read(&path).parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut names = Vec::new();
        collect(tokens, &mut names);
        let rooms = names.windows(2).filter(|pair| pair[0] == "crate");
        let rooms: Vec<String> = rooms.map(|pair| format!("crate::{}", pair[1])).collect();
        names.extend(rooms);
        let path = path.strip_prefix(root()).expect("a file of the repository");
        Source { path: path.to_string_lossy().replace('\\', "/"), names }
    })
}

/// All Rust files in a folder of the repository.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry of a folder").path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|extension| extension == "rs") => files.push(path),
                false => {}
            }
        }
    }
    assert!(!files.is_empty(), "no sources in {folder}");
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Collects identifiers, those in groups too, but not those of an item behind `#[cfg(test)]`.
fn collect(tokens: TokenStream, names: &mut Vec<String>) {
    let mut of_tests = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.to_string().replace(' ', "") == "[cfg(test)]" => of_tests = true,
            TokenTree::Group(group) if of_tests => {
                of_tests = group.delimiter() != proc_macro2::Delimiter::Brace
            }
            TokenTree::Punct(end) if of_tests => of_tests = end.as_char() != ';',
            TokenTree::Group(group) => collect(group.stream(), names),
            TokenTree::Ident(name) if !of_tests => names.push(name.to_string()),
            _ => {}
        }
    }
}
