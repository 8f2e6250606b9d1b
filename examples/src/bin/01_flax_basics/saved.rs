//! Parameters as bytes: Flax's, byte for byte.

use flaxen::Result;
use flaxen::module::Variables;
use flaxen::serialization::{from_bytes, to_bytes, to_state_dict};

use crate::assert_near;
use crate::regression::Params;

/// What the original prints of its parameters after the training.
const PRINTED: &[u8] = b"\x81\xa6params\x82\xa4bias\xc7!\x01\x93\x91\x05\xa7float32\xc4\x14WP\xba\xbfv\xc7\x01\xc0\xef\x0f\x05@\x8f\xfb\x9b?R\x83\x7f\xbf\xa6kernel\xc7\xd6\x01\x93\x92\n\x05\xa7float32\xc4\xc8\xcbC\x81?S\xe3A>\x06z6=\xdb\x92m\xbf\x1c\x18\xb2>\x92k\xdd?m\xe9|?y\xff\x94?\xb6\xe0\x8c?M1\xda\xbd%\xfa\x99\xbf\xc4\x9c\x92>P2\xb5?\xf9\x1d\xf3=\x036\xa8\xbf\xdf\xd9\x98\xbf\x8c\"B\xbe\xef\xd4\x0b=\x93\x91\xa8?\x9b\x13\xa5=C\xd9\r>\xe2\x86\xaf?\xc3\xcb\xa8\xbf#\x12\x08?Yd\x0f\xc0\xda\x1c\x10?a\xeeO?\xff\x91\xa2>U\xd8\x08?V\xaeg?g.\xc2\xbe`\xda\xde?\x9d\x1d\x8a?\r\x05\x01\xbfz\xa5m?w|x?\x12]\xa8\xbf\x05s\xac>\xdcWO?\x15\xd6\x99\xbf\xb9|\x82?\x91\xc8\x1e\xbf'{\x8a?\x80c\xeb\xbf\x8a\x85\xea\xbe}\xc6$\xbfA\xd0\xe9>Q\x03\x91\xbf|u/\xbfNT,>";

/// Writes the trained parameters, reads them back, and reads the original's.
pub fn run(params: &Params) -> Result<()> {
    let variables = Variables { params: params.clone(), state: () };
    let bytes = to_bytes(&variables)?;
    println!("Dict output: {:?}", to_state_dict(&variables)?);
    println!("Bytes output: {} bytes", bytes.len());
    assert!(from_bytes(&variables, &bytes)? == variables);

    // The variables are the template: what is read must have their structure.
    let original = from_bytes(&variables, PRINTED)?;
    assert_near(
        original.params.bias.as_slice(),
        &[-1.4555768, -2.0277991, 2.0790975, 1.2186145, -0.99809754],
        0.0,
    );
    assert_eq!(bytes.len(), PRINTED.len());
    // After a hundred steps of another implementation.
    assert_near(params.kernel.as_slice(), original.params.kernel.as_slice(), 0.03);
    Ok(())
}
