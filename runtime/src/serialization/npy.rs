//! NumPy's format for one array.
//!
//! ```text
//! 93 "NUMPY"          the magic number
//! major minor         the version: 1.0, 2.0 or 3.0
//! u16, or u32 from 2.0 on   the length of the header, little-endian
//! header              {'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }, spaces, a newline
//! …                   the elements
//! ```
//!
//! Source: `numpy.lib.format`.

use super::array::{Array, byte_count};
use crate::tensor::DType;

/// What is wrong.
type Result<T> = std::result::Result<T, String>;

const MAGIC: &[u8] = b"\x93NUMPY";

/// The array of an npy file.
pub fn read(bytes: &[u8]) -> Result<Array> {
    let (header, elements) = split(bytes).ok_or("no npy file: the header is cut off, or is none")?;
    let header = Header::parse(header)?;
    if byte_count(header.dtype, &header.shape) != Some(elements.len()) {
        return Err(format!("{}{:?} in {} bytes", header.dtype, header.shape, elements.len()));
    }
    let mut elements = elements.to_vec();
    if header.big_endian {
        let word = match header.dtype {
            DType::Complex64 | DType::Complex128 => header.dtype.size() / 2,
            dtype => dtype.size(),
        };
        elements.chunks_exact_mut(word).for_each(<[u8]>::reverse);
    }
    if header.fortran_order && header.shape.len() > 1 {
        elements = row_major(&elements, &header.shape, header.dtype.size());
    }
    Array::new(header.dtype, &header.shape, elements).map_err(|error| error.to_string())
}

/// Header and elements.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (length, rest) = match rest {
        [1, 0, a, b, rest @ ..] => (u16::from_le_bytes([*a, *b]).into(), rest),
        [2 | 3, 0, a, b, c, d, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, rest),
        _ => return None,
    };
    let (header, elements) = rest.split_at_checked(length)?;
    Some((std::str::from_utf8(header).ok()?, elements))
}

/// The elements in row-major order, of an array whose first index varies fastest.
fn row_major(elements: &[u8], shape: &[usize], size: usize) -> Vec<u8> {
    let mut sorted = Vec::with_capacity(elements.len());
    let mut index = vec![0; shape.len()];
    for _ in 0..elements.len() / size {
        let place = index.iter().zip(shape).rev().fold(0, |place, (&index, &size)| place * size + index);
        sorted.extend_from_slice(&elements[place * size..][..size]);
        for (index, &size) in index.iter_mut().zip(shape).rev() {
            *index += 1;
            if *index < size {
                break;
            }
            *index = 0;
        }
    }
    sorted
}

struct Header {
    dtype: DType,
    big_endian: bool,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Header {
    /// Reads the dict, which NumPy writes as Python prints it.
    fn parse(text: &str) -> Result<Self> {
        let wrong = || format!("the header `{}`", text.trim_end().chars().take(200).collect::<String>());
        let mut cursor = Cursor(text);
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        cursor.expect("{").ok_or_else(wrong)?;
        while cursor.expect("}").is_none() {
            let key = cursor.quoted().ok_or_else(wrong)?;
            cursor.expect(":").ok_or_else(wrong)?;
            match key {
                "descr" => descr = Some(cursor.quoted().ok_or_else(wrong)?),
                "fortran_order" => fortran_order = Some(cursor.truth().ok_or_else(wrong)?),
                "shape" => shape = Some(cursor.tuple().ok_or_else(wrong)?),
                _ => return Err(wrong()),
            }
            cursor.expect(",");
        }
        let (Some(descr), Some(fortran_order), Some(shape)) = (descr, fortran_order, shape) else {
            return Err(wrong());
        };
        let dtype = dtype(descr).ok_or_else(|| format!("elements of `{descr}`, which are no numbers"))?;
        Ok(Header { dtype, big_endian: descr.starts_with('>'), fortran_order, shape })
    }
}

/// The type of NumPy's short name, after the letter for the order of bytes.
fn dtype(descr: &str) -> Option<DType> {
    Some(match descr.trim_start_matches(['<', '>', '=', '|']) {
        "b1" => DType::Bool,
        "i1" => DType::Int8,
        "i2" => DType::Int16,
        "i4" => DType::Int32,
        "i8" => DType::Int64,
        "u1" => DType::UInt8,
        "u2" => DType::UInt16,
        "u4" => DType::UInt32,
        "u8" => DType::UInt64,
        "f2" => DType::Float16,
        "f4" => DType::Float32,
        "f8" => DType::Float64,
        "c8" => DType::Complex64,
        "c16" => DType::Complex128,
        _ => return None,
    })
}

/// What is left of a header.
struct Cursor<'a>(&'a str);

impl<'a> Cursor<'a> {
    /// Goes past a text, if it comes next.
    fn expect(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.trim_start().strip_prefix(text)?;
        Some(())
    }

    fn quoted(&mut self) -> Option<&'a str> {
        let quote = if self.0.trim_start().starts_with('"') { "\"" } else { "'" };
        self.expect(quote)?;
        let (text, rest) = self.0.split_once(quote)?;
        self.0 = rest;
        Some(text)
    }

    fn truth(&mut self) -> Option<bool> {
        self.expect("True").map(|()| true).or_else(|| self.expect("False").map(|()| false))
    }

    /// `()`, `(3,)`, `(3, 2)`
    fn tuple(&mut self) -> Option<Vec<usize>> {
        let mut sizes = Vec::new();
        self.expect("(")?;
        while self.expect(")").is_none() {
            let rest = self.0.trim_start();
            let (number, rest) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
            sizes.push(number.parse().ok()?);
            self.0 = rest;
            if self.expect(",").is_none() {
                self.expect(")")?;
                break;
            }
        }
        Some(sizes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of version 1.0 with this header and so many bytes.
    fn file(header: &str, elements: &[u8]) -> Vec<u8> {
        [MAGIC, &[1, 0], &(header.len() as u16).to_le_bytes(), header.as_bytes(), elements].concat()
    }

    #[test]
    fn headers_as_numpy_writes_them() {
        let read = |header: &str, elements: &[u8]| read(&file(header, elements)).unwrap();
        let array = read("{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }    \n", &[1, 0, 2, 0]);
        assert_eq!(
            (array.dtype(), array.shape(), array.bytes()),
            (DType::Int16, &[2][..], &[1, 0, 2, 0][..])
        );
        let array =
            read("{\"shape\": (2, 3), \"fortran_order\": True, \"descr\": \"|u1\"}", &[1, 4, 2, 5, 3, 6]);
        assert_eq!(array.bytes(), [1, 2, 3, 4, 5, 6]);
        let array = read("{'descr': '>f4', 'fortran_order': False, 'shape': ()}", &[0x3f, 0x80, 0, 0]);
        assert_eq!(array.bytes(), 1f32.to_le_bytes());
        let newer =
            [MAGIC, &[3, 0, 52, 0, 0, 0], b"{'descr': '|b1', 'fortran_order': False, 'shape':()}", &[]]
                .concat();
        assert!(super::read(&[&newer[..], &[1]].concat()).is_ok());
    }

    #[test]
    fn what_is_wrong_is_told() {
        let refusal = |header: &str| read(&file(header, &[0; 8])).unwrap_err();
        let told = |header: &str, reason: &str| {
            let message = refusal(header);
            assert!(message.contains(reason), "{message}");
        };
        told("{'descr': '<f4', 'fortran_order': False, 'shape': (9**9,)}", "the header `{'descr'");
        told("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "the header");
        told("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", "in 8 bytes");
        told("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", "float32[3] in 8 bytes");
        told("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", "`|O`, which are no numbers");
        told("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "the header");
        told("{'descr': '<f4', 'shape': (2,)}", "the header");
        told("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)", "the header");
        told("{", "the header");
        assert!(read(b"\x93NUMPY\x01\x00\xff\xff{}").unwrap_err().contains("cut off"));
        assert!(read(b"PK").unwrap_err().contains("no npy file"));
    }
}
