//! What an optimiser keeps of parameters in a type that has neither their names nor their sizes: a template has them.

use crate::serialization::refusal::Refusal;
use crate::serialization::state_dict::StateDict;

/// Refuses what is of other parameters than the template: other names, arrays of other sizes. The rest is for the type to decide.
pub fn check(template: &StateDict, value: &StateDict) -> Result<(), Refusal> {
    match (template, value) {
        (StateDict::Dict(names), StateDict::Dict(values)) => {
            if let Some((name, extra)) = values.iter().find(|(name, _)| names.get(name).is_none()) {
                return Err(Refusal::new("no such key", extra.describe()).at(name));
            }
            names.iter().try_for_each(|(name, template)| match values.get(name) {
                Some(value) => check(template, value).map_err(|refusal| refusal.at(name)),
                None if is_masked(template) => Ok(()),
                None => Err(Refusal::new("a value", "no such key").at(name)),
            })
        }
        (StateDict::List(sizes), StateDict::Array(array) | StateDict::Scalar(array)) => {
            let found = array.shape().iter().map(|&size| StateDict::Int(size as i128));
            match found.eq(sizes.iter().cloned()) {
                true => Ok(()),
                false => Err(refusal(template, value)),
            }
        }
        (StateDict::Dict(_), StateDict::Array(_)) | (StateDict::List(_), StateDict::Dict(_)) => {
            Err(refusal(template, value))
        }
        _ => Ok(()),
    }
}

fn refusal(template: &StateDict, value: &StateDict) -> Refusal {
    let expected = match template {
        sizes @ StateDict::List(_) => format!("an array of sizes {sizes:?}"),
        other => other.describe(),
    };
    Refusal::new(expected, value.describe())
}

/// Whether the optimiser leaves out all leaves of a part. Optax may write one empty dict for all of them.
fn is_masked(template: &StateDict) -> bool {
    match template {
        StateDict::Dict(parts) => parts.iter().all(|(_, part)| is_masked(part)),
        _ => false,
    }
}
