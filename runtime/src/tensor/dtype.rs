//! The types of elements by name, where they are not types: in files.

use std::fmt;

macro_rules! dtypes {
    ($($(#[$doc:meta])* $variant:ident $name:literal $size:literal;)+) => {
        /// The type of an array's elements, under NumPy's names and those that JAX adds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum DType {
            $($(#[$doc])* $variant,)+
        }

        impl DType {
            /// The name: `float32`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(DType::$variant => $name,)+
                }
            }

            /// The type of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(DType::$variant),)+
                    _ => None,
                }
            }

            /// The bytes of an element.
            pub const fn size(self) -> usize {
                match self {
                    $(DType::$variant => $size,)+
                }
            }
        }
    };
}

dtypes! {
    /// A byte that is 0 or 1.
    Bool "bool" 1;
    /// A signed integer of 8 bits.
    Int8 "int8" 1;
    /// A signed integer of 16 bits.
    Int16 "int16" 2;
    /// A signed integer of 32 bits.
    Int32 "int32" 4;
    /// A signed integer of 64 bits.
    Int64 "int64" 8;
    /// An unsigned integer of 8 bits.
    UInt8 "uint8" 1;
    /// An unsigned integer of 16 bits.
    UInt16 "uint16" 2;
    /// An unsigned integer of 32 bits.
    UInt32 "uint32" 4;
    /// An unsigned integer of 64 bits.
    UInt64 "uint64" 8;
    /// An IEEE number of 16 bits.
    Float16 "float16" 2;
    /// The upper half of a `float32`.
    BFloat16 "bfloat16" 2;
    /// An IEEE number of 32 bits.
    Float32 "float32" 4;
    /// An IEEE number of 64 bits.
    Float64 "float64" 8;
    /// Two `float32`: real and imaginary part.
    Complex64 "complex64" 8;
    /// Two `float64`: real and imaginary part.
    Complex128 "complex128" 16;
}

impl fmt::Display for DType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
