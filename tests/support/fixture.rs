//! A folder of `tests/fixtures/`: `cases.json`, and the arrays that its cases name.

use std::path::PathBuf;

use safetensors::tensor::{Metadata, TensorView};
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

/// One folder of fixtures.
///
/// It panics, with the name of what is missing, where a test asks for something that the folder does not
/// hold.
pub struct Fixture {
    folder: PathBuf,
    json: Value,
    arrays: Vec<u8>,
    /// The names of the arrays and where they are, with where the first begins; read once, as there are thousands.
    header: Option<(usize, Metadata)>,
}

impl Fixture {
    /// Opens `tests/fixtures/<name>/`: its `cases.json`, and its `arrays.safetensors` where it has one.
    pub fn open(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
        let json = read_json(&folder.join("cases.json"));
        let arrays = std::fs::read(folder.join("arrays.safetensors")).unwrap_or_default();
        let header = match arrays.is_empty() {
            true => None,
            false => {
                let (len, names) =
                    SafeTensors::read_metadata(&arrays).expect("`arrays.safetensors` can be read");
                Some((8 + len, names))
            }
        };
        Self { folder, json, arrays, header }
    }

    /// The whole of `cases.json`.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// Another JSON file of the folder.
    pub fn other_json(&self, file: &str) -> Value {
        read_json(&self.folder.join(file))
    }

    /// Another file of the folder, as bytes.
    pub fn bytes(&self, file: &str) -> Vec<u8> {
        let path = self.folder.join(file);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The list `cases` of `cases.json`.
    pub fn cases(&self) -> &[Value] {
        self.json["cases"].as_array().expect("`cases.json` has a list `cases`")
    }

    /// The case whose `id` this is.
    pub fn case(&self, id: &str) -> &Value {
        self.cases().iter().find(|case| case["id"] == id).unwrap_or_else(|| panic!("no case `{id}`"))
    }

    /// The sizes of an array.
    pub fn sizes(&self, name: &str) -> Vec<usize> {
        self.with_array(name, |array| array.shape().to_vec())
    }

    /// An array of floats, in row-major order. Those of 16 bits are widened, which changes no value.
    pub fn f32s(&self, name: &str) -> Vec<f32> {
        self.with_array(name, |array| match array.dtype() {
            Dtype::F32 => words(array, f32::from_le_bytes),
            Dtype::BF16 => words(array, |bytes| f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16)),
            Dtype::F16 => words(array, |bytes| widen_f16(u16::from_le_bytes(bytes))),
            other => panic!("`{name}` is {other:?}, not floats"),
        })
    }

    /// An array of `u32`, or of narrower unsigned integers or booleans, widened.
    pub fn u32s(&self, name: &str) -> Vec<u32> {
        self.with_array(name, |array| match array.dtype() {
            Dtype::U32 => words(array, u32::from_le_bytes),
            Dtype::U16 => words(array, |bytes| u32::from(u16::from_le_bytes(bytes))),
            Dtype::U8 | Dtype::BOOL => array.data().iter().map(|&byte| u32::from(byte)).collect(),
            other => panic!("`{name}` is {other:?}, not unsigned integers"),
        })
    }

    /// An array of `i32`, or of narrower integers, widened.
    pub fn i32s(&self, name: &str) -> Vec<i32> {
        self.with_array(name, |array| match array.dtype() {
            Dtype::I32 => words(array, i32::from_le_bytes),
            Dtype::I8 => array.data().iter().map(|&byte| i32::from(byte as i8)).collect(),
            Dtype::U8 => array.data().iter().map(|&byte| i32::from(byte)).collect(),
            other => panic!("`{name}` is {other:?}, not integers"),
        })
    }

    /// An array of booleans.
    pub fn bools(&self, name: &str) -> Vec<bool> {
        self.with_array(name, |array| {
            assert_eq!(array.dtype(), Dtype::BOOL, "`{name}`");
            array.data().iter().map(|&byte| byte != 0).collect()
        })
    }

    fn with_array<T>(&self, name: &str, read: impl FnOnce(&TensorView) -> T) -> T {
        let (first, names) = self.header.as_ref().unwrap_or_else(|| panic!("`{name}`: no arrays"));
        let info = names.info(name).unwrap_or_else(|| panic!("`{name}` is no array"));
        let data = &self.arrays[*first..][info.data_offsets.0..info.data_offsets.1];
        read(&TensorView::new(info.dtype, info.shape.clone(), data).expect("as many bytes as elements"))
    }
}

fn read_json(path: &std::path::Path) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn words<T, const N: usize>(array: &TensorView, read: impl Fn([u8; N]) -> T) -> Vec<T> {
    array.data().as_chunks().0.iter().map(|&bytes| read(bytes)).collect()
}

/// The value of an IEEE half: the exponent is re-biased by a multiplication, which also takes the subnormals
/// along.
fn widen_f16(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let magnitude = u32::from(bits & 0x7FFF);
    let widened = match magnitude {
        0x7C00.. => 0x7F80_0000 | (magnitude & 0x03FF) << 13,
        _ => (f32::from_bits(magnitude << 13) * f32::from_bits((254 - 15) << 23)).to_bits(),
    };
    f32::from_bits(sign | widened)
}
