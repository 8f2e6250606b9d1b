//! Trees as arrays by name, which is all that safetensors and npz know: the name is the path.

use super::array::Array;
use super::refusal::Refusal;
use super::serializable::Serializable;
use super::state_dict::{Dict, StateDict};
use super::traverse::flatten_dict;
use crate::error::{Error, Result};
use crate::tensor::DType;
use std::collections::HashMap;

/// The arrays of a tree by name. Numbers of Python's become arrays without dimensions.
pub fn arrays(target: &impl Serializable, sep: &str) -> Result<Vec<(String, Array)>> {
    let StateDict::Dict(nested) = target.to_state_dict()? else {
        return Err(Error::from(Refusal::new("a dict, whose keys are the names", "a value without a name")));
    };
    let array = |(name, value)| match array(value) {
        Ok(array) => Ok((name, array)),
        Err(refusal) => Err(refusal.at(name).into()),
    };
    flatten_dict(nested, false, sep)?.into_iter().map(array).collect()
}

fn array(value: StateDict) -> Result<Array, Refusal> {
    Ok(match value {
        StateDict::Array(array) | StateDict::Scalar(array) => array,
        StateDict::Float(value) => Array::scalar(DType::Float64, &value.to_le_bytes()),
        StateDict::Bool(value) => Array::scalar(DType::Bool, &[value.into()]),
        StateDict::Int(value) => match (i64::try_from(value), u64::try_from(value)) {
            (Ok(value), _) => Array::scalar(DType::Int64, &value.to_le_bytes()),
            (_, Ok(value)) => Array::scalar(DType::UInt64, &value.to_le_bytes()),
            _ => return Err(Refusal::new("an integer of 64 bits", value.to_string())),
        },
        other => return Err(Refusal::new("an array or a number", other.describe())),
    })
}

/// A value like `target` with the arrays of these names. The target says which dicts there are, so that empty ones, which
/// have no names, need none.
pub fn restore<T: Serializable>(target: &T, arrays: Dict, sep: &str) -> Result<T> {
    let mut arrays: HashMap<String, StateDict> = arrays.into_iter().collect();
    let mut state = target.to_state_dict()?;
    let StateDict::Dict(nested) = &mut state else {
        return Err(Error::from(Refusal::new("a dict, whose keys are the names", "a value without a name")));
    };
    fill(nested, &mut arrays, "", sep)?;
    // Of several names any is as good; the first in the alphabet is always the same.
    if let Some((name, extra)) = arrays.into_iter().min_by(|(a, _), (b, _)| a.cmp(b)) {
        return Err(Refusal::new("no such name", extra.describe()).at(name).into());
    }
    target.from_state_dict(&state)
}

fn fill(
    nested: &mut Dict,
    arrays: &mut HashMap<String, StateDict>,
    prefix: &str,
    sep: &str,
) -> Result<(), Refusal> {
    for (key, value) in nested.iter_mut() {
        let name = format!("{prefix}{key}");
        match value {
            StateDict::Dict(inner) => fill(inner, arrays, &format!("{name}{sep}"), sep)?,
            leaf => match arrays.remove(&name) {
                Some(array) => *leaf = array,
                None => return Err(Refusal::new(leaf.describe(), "no such name").at(name)),
            },
        }
    }
    Ok(())
}
