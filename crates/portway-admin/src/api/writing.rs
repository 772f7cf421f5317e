//! The one way in which operations write resources: documents keep what their collections promise
//! them, whichever operation changes a collection.

use portway_config::{Collection, Kind, Meta, Resource, ResourceId, Resources};

use super::{answer::Failure, backup::unrestored, context::Context, documents::keeps_documents};
use crate::ledger::{Backup, Changed, Edit, Request};

/// How often something is done anew when somebody else has written meanwhile.
const TRIES: usize = 32;

/// What is left of them.
pub(crate) struct Tries(usize);

impl Tries {
    /// As many as there are where a change depends on what is written; one where whoever asks has
    /// said themselves what must be there.
    pub(crate) fn of(is_guarded: bool) -> Self {
        Self(if is_guarded { 0 } else { TRIES })
    }

    /// Whether something that failed is to be done anew.
    pub(crate) fn again(&mut self, failure: &Failure) -> bool {
        let is_lost_race = matches!(failure.code, "conflict" | "precondition_failed");
        let goes_on = is_lost_race && self.0 > 0;
        self.0 = self.0.saturating_sub(1);
        goes_on
    }
}

/// Makes a change, unless documents would lose their collection or no longer fit it.
pub(crate) async fn change(context: &Context, request: Request) -> Result<Changed, Failure> {
    let ledger = context.ledger();
    let is_collection = |edit: &&Edit| edit.id().kind == Kind::Collection;
    if !request.edits.iter().any(|edit| is_collection(&edit)) {
        return Ok(ledger.change(request).await?);
    }
    let _documents_wait = ledger.changes_collections().await;
    if !context.query.is_set("force")? {
        let state = ledger.state();
        for edit in request.edits.iter().filter(is_collection) {
            let next = match edit {
                Edit::Delete(_) => None,
                Edit::Put(written) => {
                    let known = state.resources.get(&written.id);
                    if known.is_some_and(|known| known.spec == written.spec) {
                        continue;
                    }
                    collection(&written.resource)
                }
            };
            keeps_documents(&**ledger.store(), edit.id(), next).await?;
        }
    }
    Ok(ledger.change(request).await?)
}

/// Restores a backup, unless documents would lose their collection, or those of the backup do not
/// fit theirs. Answers the number of its last change.
pub(crate) async fn restore(
    context: &Context,
    backup: Backup,
    dry_run: bool,
) -> Result<u64, Failure> {
    let ledger = context.ledger();
    let _documents_wait = ledger.changes_collections().await;
    if !context.query.is_set("force")? {
        let (now, then) = (ledger.state(), backup.state());
        for (id, _) in collections(&now.resources) {
            if then.resources.get(id).is_none() {
                keeps_documents(&**ledger.store(), id, None).await?;
            }
        }
        for (id, collection) in collections(&then.resources) {
            keeps_documents(backup.store(), id, Some(collection)).await?;
        }
        if let Some(running) = ledger.changes().running() {
            // Those of files stay.
            for one in &running.config().collections {
                let Meta { name, namespace, .. } = one.meta.clone();
                let id = ResourceId { kind: Kind::Collection, namespace, name };
                if now.resources.get(&id).is_none() {
                    keeps_documents(backup.store(), &id, Some(one)).await?;
                }
            }
        }
    }
    ledger.restore(backup, dry_run).await.map_err(unrestored)
}

fn collections(resources: &Resources) -> impl Iterator<Item = (&ResourceId, &Collection)> {
    resources.iter().filter_map(|one| Some((&one.id, collection(&one.resource)?)))
}

fn collection(resource: &Resource) -> Option<&Collection> {
    match resource {
        Resource::Collection(collection) => Some(collection),
        _ => None,
    }
}
