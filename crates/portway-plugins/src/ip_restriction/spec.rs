//! What a configuration says about addresses.

use portway_plugin::value::{Cidr, Name};
use schemars::JsonSchema;
use serde::Deserialize;

/// Which clients may ask, by their address:
///
/// ```yaml
/// ip-restriction: {allow: [10.0.0.0/8, "fd00::/8"], deny: [10.0.0.7]}
/// ```
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct IpRestrictionSpec {
    /// Who may: addresses and blocks. Without any, everybody whom `deny` does not name. An IPv4
    /// address that comes in its IPv6 form counts as the IPv4 address it is.
    #[serde(default)]
    pub allow: Vec<Cidr>,
    /// Who may not, even where `allow` names them.
    #[serde(default)]
    pub deny: Vec<Cidr>,
    /// Nobody is refused; the requests of those who may are marked with this name. A plugin
    /// further in whose `when` asks for the mark is for them alone.
    #[serde(default)]
    pub mark: Option<Name>,
}
