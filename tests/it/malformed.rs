//! Files from anybody: whatever their bytes are, they are read or refused, and memory is asked for by what is there.
//!
//! A program of its own: the counters of the heap are of the whole process, so nothing else may run beside it.

use std::alloc::System;
use std::panic::{AssertUnwindSafe, catch_unwind};

use flaxen::Result;
use flaxen::nn::DenseParams;
use flaxen::prelude::*;
use flaxen::serialization::{
    Dict, StateDict, from_bytes, from_npz, from_safetensors, msgpack_restore, msgpack_serialize, npz_restore,
    safetensors_restore, safetensors_serialize, to_bytes, to_safetensors,
};
use flaxen_tests::Fixture;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// All that may be asked for while a file is read, counting what was given back too: so many times its size, and something
/// besides, [`Format::machinery`].
const TIMES: usize = 64;

type Model = Variables<DenseParams<U3, U2>>;

fn template() -> Model {
    let kernel = Tensor::zeros(Default::default());
    Variables { params: DenseParams { kernel, bias: Tensor::zeros(Default::default()) }, state: () }
}

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Format {
    Msgpack,
    Safetensors,
    Npz,
}

impl Format {
    /// What reading needs for itself: a message, a table of names, a decompressor for each of some files.
    fn machinery(self) -> usize {
        match self {
            Format::Msgpack | Format::Safetensors => 4 << 10,
            Format::Npz => 256 << 10,
        }
    }

    fn raw(self, bytes: &[u8]) -> Result<StateDict> {
        match self {
            Format::Msgpack => msgpack_restore(bytes),
            Format::Safetensors => safetensors_restore(bytes).map(StateDict::from),
            Format::Npz => npz_restore(bytes).map(StateDict::from),
        }
    }

    fn typed(self, template: &Model, bytes: &[u8]) -> Result<Model> {
        match self {
            Format::Msgpack => from_bytes(template, bytes),
            Format::Safetensors => from_safetensors(template, bytes, "/"),
            Format::Npz => from_npz(template, bytes, "/"),
        }
    }
}

/// Reads bytes both ways. What is read raw is written and read again where the format is written too.
fn read(format: Format, template: &Model, bytes: &[u8]) {
    let allowed = TIMES * bytes.len() + format.machinery();
    let counted = |what: &str, read: &dyn Fn() -> Option<StateDict>| {
        let region = Region::new(HEAP);
        let result = catch_unwind(AssertUnwindSafe(read));
        let asked = region.change().bytes_allocated;
        let Ok(result) = result else { panic!("{format:?}, {what}: a panic on {}", bytes.escape_ascii()) };
        assert!(
            asked <= allowed,
            "{format:?}, {what}: {asked} bytes for {}: {}",
            bytes.len(),
            bytes.escape_ascii()
        );
        result
    };
    counted("typed", &|| {
        if let Ok(model) = format.typed(template, bytes) {
            assert_eq!(model.params.kernel.as_slice().len(), 6);
        }
        None
    });
    let raw = counted("raw", &|| format.raw(bytes).ok());
    match (format, raw) {
        (Format::Msgpack, Some(state)) => {
            let again = msgpack_restore(&to_bytes(&state).expect("what was read")).expect("what was written");
            // NaN is not itself, so the trees are compared as bytes.
            assert_eq!(to_bytes(&again).unwrap(), to_bytes(&state).unwrap());
        }
        (Format::Safetensors, Some(StateDict::Dict(arrays))) => {
            let again = safetensors_restore(&safetensors_serialize(&arrays).expect("what was read"));
            assert_eq!(again.expect("what was written").len(), arrays.len());
        }
        _ => {}
    }
}

/// Files as they should be.
fn whole() -> Vec<(Format, Vec<u8>)> {
    let fixture = Fixture::open("serialization");
    let file = |case: &serde_json::Value| fixture.bytes(case["file"].as_str().expect("a file"));
    let mut files: Vec<_> = fixture.cases().iter().map(|case| (Format::Msgpack, file(case))).collect();
    files.push((Format::Safetensors, to_safetensors(&template(), "/").expect("a model")));
    for npz in ["arrays.npz", "params.npz", "compressed.npz", "text.npz"] {
        files.push((Format::Npz, fixture.bytes(npz)));
    }
    files
}

/// A change of some bytes: which, as a share of the file, and how.
#[derive(Clone, Debug)]
enum Damage {
    Flip(f64, u8),
    Set(f64, Vec<u8>),
    Cut(f64),
    Remove(f64, usize),
    Repeat(f64, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let place = || 0.0..1.0;
    let lengths = prop_oneof![Just(vec![0xff; 4]), Just(vec![0xff; 8]), Just(vec![0x7f, 0xff, 0xff, 0xff])];
    prop_oneof![
        4 => (place(), 0..8u8).prop_map(|(place, bit)| Damage::Flip(place, bit)),
        2 => (place(), proptest::collection::vec(any::<u8>(), 1..5)).prop_map(|(place, bytes)| Damage::Set(place, bytes)),
        1 => (place(), lengths).prop_map(|(place, bytes)| Damage::Set(place, bytes)),
        1 => place().prop_map(Damage::Cut),
        1 => (place(), 1..20usize).prop_map(|(place, count)| Damage::Remove(place, count)),
        1 => (place(), 1..200usize).prop_map(|(place, count)| Damage::Repeat(place, count)),
    ]
}

impl Damage {
    fn on(&self, bytes: &mut Vec<u8>) {
        let at = |share: f64| ((bytes.len() as f64 * share) as usize).min(bytes.len());
        match self {
            Damage::Flip(place, bit) => {
                let place = at(*place);
                bytes.get_mut(place).into_iter().for_each(|byte| *byte ^= 1 << bit);
            }
            Damage::Set(place, values) => {
                let place = at(*place);
                bytes[place..].iter_mut().zip(values).for_each(|(byte, &value)| *byte = value);
            }
            Damage::Cut(place) => bytes.truncate(at(*place)),
            Damage::Remove(place, count) => {
                let place = at(*place);
                bytes.drain(place..(place + count).min(bytes.len()));
            }
            Damage::Repeat(place, count) => {
                let place = at(*place);
                let part: Vec<u8> = bytes[place..].iter().copied().take(*count).collect();
                bytes.splice(place..place, part);
            }
        }
    }
}

/// Bytes that claim far more than they are.
fn claims() -> Vec<(Format, Vec<u8>)> {
    let mut files = Vec::new();
    let mut msgpack = |bytes: Vec<u8>| files.push((Format::Msgpack, bytes));
    for marker in [0xdc, 0xdd, 0xde, 0xdf, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xd9, 0xda, 0xdb] {
        msgpack(vec![marker, 0xff, 0xff, 0xff, 0xff]);
        msgpack([vec![marker, 0xff, 0xff, 0xff, 0xff, 1], vec![0; 3000]].concat());
    }
    for container in [vec![0x91], vec![0x81, 0xa0], vec![0xdd, 0, 0, 0, 1], vec![0xde, 0, 1, 0xa1, b'k']] {
        msgpack(container.repeat(100_000));
    }
    // Every list announces as many values as there are bytes left, at most once in truth.
    let size = 40_000u32;
    let announced = (0..100u32).flat_map(|depth| {
        let mut list = vec![0xdd];
        list.extend((size - 10 * depth).to_be_bytes());
        list
    });
    msgpack(announced.chain(std::iter::repeat_n(0xc0, size as usize)).collect());
    // An array of 2^64 elements without bytes, and one whose size does not fit.
    for shape in [
        &[0x92, 0xcf, 0, 0, 0, 1, 0, 0, 0, 0, 0xcf, 0, 0, 0, 1, 0, 0, 0, 0][..],
        &[0x91, 0xcf, 255, 255, 255, 255, 255, 255, 255, 255],
    ] {
        let payload = [&[0x93], shape, b"\xa7float32\xc4\x00"].concat();
        msgpack([&[0xc7, payload.len() as u8, 1], &payload[..]].concat());
    }
    let chunked = |shape: &[u8]| {
        let head = b"\x83\xb9__msgpack_chunked_array__\xc3\xa5shape\x81\xa10";
        [head, shape, b"\xa6chunks\x81\xa10\xc7\x0d\x01\x93\x91\x00\xa7float32\xc4\x00"].concat()
    };
    msgpack(chunked(&[0xcf, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
    // Only a list of one-byte values costs so much more than its bytes.
    msgpack([&[0xdd, 0, 1, 0, 0][..], &[0xc0; 65_536]].concat());

    let mut safetensors = |length: u64, header: &str| {
        files.push((Format::Safetensors, [&length.to_le_bytes(), header.as_bytes()].concat()));
    };
    safetensors(u64::MAX, "{}");
    safetensors(90_000_000, "{}");
    let deep = "[".repeat(100_000);
    safetensors(deep.len() as u64, &deep);
    for tensor in [
        r#"{"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#,
        r#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615]}}"#,
        r#"{"x":{"dtype":"F32","shape":[1000000000],"data_offsets":[0,4000000000]}}"#,
    ] {
        safetensors(tensor.len() as u64, tensor);
    }
    files
}

/// One test, so that no other allocates meanwhile.
#[test]
fn whatever_the_bytes_are() {
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = catch_unwind(|| {
        let template = template();
        let files = whole();
        for (format, bytes) in files.iter().chain(&claims()) {
            read(*format, &template, bytes);
        }
        for (format, bytes) in claims().iter().filter(|(_, bytes)| bytes.len() < 60_000) {
            assert!(format.raw(bytes).is_err(), "{format:?}: {}", bytes.escape_ascii());
        }
        for (format, bytes) in &files {
            for length in 0..bytes.len().min(400) {
                assert!(format.raw(&bytes[..length]).is_err(), "{format:?}: the first {length} bytes");
            }
        }

        let config = Config { cases: 4000, failure_persistence: None, ..Config::default() };
        let strategy = (0..files.len(), proptest::collection::vec(damage(), 1..4));
        TestRunner::new(config.clone())
            .run(&strategy, |(file, damages)| {
                let (format, mut bytes) = files[file].clone();
                damages.iter().for_each(|damage| damage.on(&mut bytes));
                read(format, &template, &bytes);
                Ok(())
            })
            .unwrap_or_else(|failure| panic!("{failure}"));
        TestRunner::new(config)
            .run(&proptest::collection::vec(any::<u8>(), 0..300), |bytes| {
                for format in [Format::Msgpack, Format::Safetensors, Format::Npz] {
                    read(format, &template, &bytes);
                }
                Ok(())
            })
            .unwrap_or_else(|failure| panic!("{failure}"));
        // Sorting is what `msgpack_serialize` does besides.
        let nested =
            StateDict::List(vec![Dict::from_iter([("b", StateDict::Nil), ("a", StateDict::Nil)]).into()]);
        assert_eq!(msgpack_serialize(&nested).unwrap(), b"\x91\x82\xa1a\xc0\xa1b\xc0");
    });
    // Panics were silent so far, as refusals are what is looked for.
    drop(std::panic::take_hook());
    if let Err(panic) = outcome {
        panic!("{}", panic.downcast_ref::<String>().map_or("a panic without text", String::as_str));
    }
}
