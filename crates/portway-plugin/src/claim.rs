//! What a plugin needs for itself.

/// What an instance of a plugin claims on the way of a request. Two attachments contradict each
/// other where both are at work for every request of a way and their claims collide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Claim {
    /// Nothing: several of its kind may stand on one way, and the target is reached.
    #[default]
    Nothing,
    /// To be the only one of its kind: a second one would undo what the first does.
    OnlyOne,
    /// Every request: it answers all of them, and what stands further in is never reached.
    EveryRequest,
}
