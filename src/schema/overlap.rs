//! Tables whose first fitting entry decides, and of which no operation moves an entry: the order in which entries are made counts.

use super::Attribute;

/// Tells whether two names of entries fit something in common.
pub type Overlaps = fn(&str, &str) -> bool;

impl Attribute {
    /// On an attribute that names the object: the first object that fits decides, among those with the same other keys. Objects that fit something
    /// in common, and treat it differently, have to be made in their order.
    pub const fn first_decides(self, overlaps: Overlaps) -> Attribute {
        Attribute { first_decides: Some(overlaps), ..self }
    }
}
