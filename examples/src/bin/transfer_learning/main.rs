//! The transfer learning of Flax's tutorial on training techniques: a pretrained vision transformer stays as it is, and a dense
//! layer on top of it learns to tell handwritten digits apart.
//!
//! `cargo run --release --bin transfer_learning -- --model DIR` takes a folder of openai/clip-vit-base-patch32: its `config.json`
//! and its `flax_model.msgpack` or `model.safetensors`. Without one, a small transformer with random parameters stands in.

mod images;
mod options;
mod training;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use flaxen::module::Module;
use flaxen::prelude::*;
use flaxen::{Error, Result};
use flaxen_examples::clip::{Pretrained, VisionConfig, VitBasePatch32, VitTiny};
use flaxen_examples::digits;

use options::Options;
use training::train;

fn main() -> ExitCode {
    match run(&Options::parse(), &mut io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where the error output is closed, the exit code still tells.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The parameters of a model of images of `I` by `I`.
type Params<M, I> = <M as Module<Tensor![Dyn, I, I, 3]>>::Params;

/// Trains on what the backbone gives, of which no gradient is ever computed.
fn run(options: &Options, out: &mut impl Write) -> Result<()> {
    let digits = digits::load()?;
    let (base, tiny) = (VitBasePatch32::new(), VitTiny::new());
    let Some(folder) = &options.model else {
        let (key, init_key) = options.key().split();
        let params = tiny.init(init_key).params;
        say(out, "A small vision transformer with random parameters; --model DIR takes a pretrained one")?;
        return train(options, key, &digits, out, |images| tiny.apply(&params, images));
    };
    let config = VisionConfig::read(folder)?;
    if config == VisionConfig::vit_base_patch32() {
        let params: Params<VitBasePatch32, U224> = Pretrained::open(folder)?.submodule("vision_model")?;
        train(options, options.key(), &digits, out, |images| base.apply(&params, images))
    } else if config == VisionConfig::vit_tiny() {
        let params: Params<VitTiny, U32> = Pretrained::open(folder)?.submodule("vision_model")?;
        train(options, options.key(), &digits, out, |images| tiny.apply(&params, images))
    } else {
        Err(unknown(folder, &config))
    }
}

/// The sizes of a model are types, so that only those can be loaded that this program was compiled for.
fn unknown(folder: &Path, config: &VisionConfig) -> Error {
    Error::Mismatch {
        what: folder.join("config.json").display().to_string(),
        expected: format!("{:?} or {:?}", VisionConfig::vit_base_patch32(), VisionConfig::vit_tiny()),
        found: format!("{config:?}"),
    }
}

/// Writes a line.
fn say(out: &mut impl Write, text: &str) -> Result<()> {
    writeln!(out, "{text}").map_err(|source| Error::Io { path: "the standard output".into(), source })
}
