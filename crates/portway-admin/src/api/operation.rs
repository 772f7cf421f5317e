//! Everything that can be asked for.

use http::Method;

use super::{
    answer::{Failure, Made},
    apply, audit, backup,
    context::Context,
    documents, explain, extensions, kinds, live, resources, revisions, status, tokens, watch,
};
use crate::access::BoxFuture;

/// One thing that can be asked for.
pub(crate) struct Operation {
    pub(crate) method: Method,
    /// The path; `{name}` stands for a segment.
    pub(crate) path: &'static str,
    /// What programs call it.
    pub(crate) id: &'static str,
    /// What it does, in a few words.
    pub(crate) summary: &'static str,
    pub(crate) query: &'static [Parameter],
    pub(crate) body: Takes,
    /// Statuses besides 200 and those every operation may answer.
    pub(crate) statuses: &'static [u16],
    pub(crate) run: fn(Context) -> BoxFuture<'static, Result<Made, Failure>>,
}

/// A parameter of the query.
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    /// Its JSON type.
    pub(crate) kind: &'static str,
    pub(crate) about: &'static str,
}

/// What the body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// There is none.
    Nothing,
    /// The spec of a resource of the kind in the path.
    Spec,
    /// A merge patch of it.
    Patch,
    /// A document with resources.
    Document,
    /// A backup.
    Backup,
    /// JSON of a schema of its own, by the name of its type.
    Json(&'static str),
}

const fn parameter(name: &'static str, kind: &'static str, about: &'static str) -> Parameter {
    Parameter { name, kind, about }
}

const NAMESPACE: Parameter =
    parameter("namespace", "string", "The namespace. Without it, `default`.");
const ANY_NAMESPACE: Parameter = parameter("namespace", "string", "Only this namespace.");
const DRY_RUN: Parameter = parameter("dry_run", "boolean", "Only says what would come of it.");
const MESSAGE: Parameter = parameter("message", "string", "What the history says about it.");
const LIMIT: Parameter = parameter("limit", "integer", "How many at most: 1 to 1000.");
const CURSOR: Parameter = parameter("cursor", "string", "Where the last page ended.");
const COLLECTION: Parameter = parameter("collection", "string", "The collection. It must be said.");
const FORCE: Parameter =
    parameter("force", "boolean", "Also where documents of a collection are lost, or do not fit.");
const WRITE: &[Parameter] = &[NAMESPACE, DRY_RUN, MESSAGE, FORCE];

/// What was made without waiting for anything.
fn now(made: Result<Made, Failure>) -> BoxFuture<'static, Result<Made, Failure>> {
    Box::pin(std::future::ready(made))
}

/// All of them. Of two that fit a path, the first one counts.
pub(crate) static OPERATIONS: &[Operation] = &[
    Operation {
        method: Method::GET,
        path: "/api/v1/status",
        id: "status",
        summary: "How the gateway is, and what became of the last changes",
        query: &[],
        body: Takes::Nothing,
        statuses: &[],
        run: |context| Box::pin(status::status(context)),
    },
    Operation {
        method: Method::GET,
        path: "/api/v1/traffic",
        id: "traffic",
        summary: "What was counted since the start, by route and service",
        query: &[],
        body: Takes::Nothing,
        statuses: &[],
        run: |context| now(status::traffic(&context)),
    },
    Operation {
        method: Method::GET,
        path: "/api/v1/audit",
        id: "listAudit",
        summary: "Who asked for what, and who was kept out; the last one first",
        query: &[LIMIT, CURSOR],
        body: Takes::Nothing,
        statuses: &[],
        run: |context| Box::pin(audit::list(context)),
    },
    Operation {
        method: Method::GET,
        path: "/api/v1/backup",
        id: "backup",
        summary: "Everything the store holds, in one file. Secrets stay sealed, keys are not in it",
        query: &[],
        body: Takes::Nothing,
        statuses: &[],
        run: |context| Box::pin(backup::backup(context)),
    },
    Operation {
        method: Method::POST,
        path: "/api/v1/restore",
        id: "restore",
        summary: "Puts a backup in the place of everything the store holds, if the gateway can \
                  serve it",
        query: &[DRY_RUN, FORCE],
        body: Takes::Backup,
        statuses: &[409, 422],
        run: |context| Box::pin(backup::restore(context)),
    },
    Operation {
        method: Method::POST,
        path: "/api/v1/secrets/rotate-key",
        id: "rotateKey",
        summary: "Makes a new key for secrets, seals everything with it and forgets the old ones",
        query: &[],
        body: Takes::Nothing,
        statuses: &[409],
        run: |context| Box::pin(backup::rotate_key(context)),
    },
    Operation {
        method: Method::GET,
        path: "/api/v1/kinds",
        id: "listKinds",
        summary: "The kinds of resources, each with its JSON Schema",
        query: &[],
        body: Takes::Nothing,
        statuses: &[],
        run: |context| now(kinds::kinds(&context)),
    },
    Operation {
        method: Method::GET,
        path: "/api/v1/plugin-types",
        id: "listPluginTypes",
        summary: "The plugins this process can run, and the routes that use them",
        query: &[],
        body: Takes::Nothing,
        statuses: &[],
        run: |context| now(kinds::plugin_types(&context)),
    },
    Operation {
        method: Method::GET,
        path: "/api/v1/plugin-types/{name}",
        id: "getPluginType",
        summary: "One plugin",
        query: &[],
        body: Takes::Nothing,
        statuses: &[404],
        run: |context| now(kinds::plugin_type(&context)),
    },
    Operation {
        method: Method::GET,
        path: "/api/v1/extensions",
        id: "listExtensions",
        summary: "What the program and instances of plugins answer below paths of their own",
        query: &[],
        body: Takes::Nothing,
        statuses: &[],
        run: |context| now(extensions::list(&context)),
    },
    Operation {
        method: Method::GET,
        path: "/api/v1/watch",
        id: "watch",
        summary: "Changes and what became of them, as they come (server-sent events)",
        query: &[],
        body: Takes::Nothing,
        statuses: &[],
        run: |context| now(watch::watch(&context)),
    },
    Operation {
        method: Method::POST,
        path: "/api/v1/apply",
        id: "apply",
        summary: "Writes all resources of a document, or none of them",
        query: &[
            NAMESPACE,
            DRY_RUN,
            MESSAGE,
            FORCE,
            parameter(
                "prune",
                "string",
                "Also takes away resources with these labels (`team=shop,env=prod`) that the \
                 document does not have: those of `namespace` and of namespaces that it names, \
                 or of `default` where neither says any.",
            ),
            parameter(
                "all_namespaces",
                "boolean",
                "With `prune`: of every namespace, and namespaces themselves.",
            ),
        ],
        body: Takes::Document,
        statuses: &[409, 422],
        run: |context| Box::pin(apply::apply(context)),
    },
    Operation {
        method: Method::GET,
        path: "/api/v1/export",
        id: "export",
        summary: "Resources as a document that can be applied",
        query: &[
            ANY_NAMESPACE,
            parameter("kind", "string", "Only this kind."),
            parameter("owner", "string", "Whose resources. Without it, those of the store."),
        ],
        body: Takes::Nothing,
        statuses: &[],
        run: |context| now(apply::export(&context)),
    },
    Operation {
        method: Method::GET,
        path: "/api/v1/revisions",
        id: "listRevisions",
        summary: "What was changed, by whom and when; the last change first",
        query: &[LIMIT, CURSOR],
        body: Takes::Nothing,
        statuses: &[],
        run: |context| Box::pin(revisions::list(context)),
    },
    Operation {
        method: Method::GET,
        path: "/api/v1/revisions/{number}",
        id: "getRevision",
        summary: "One change, with what was there before and after it",
        query: &[],
        body: Takes::Nothing,
        statuses: &[404],
        run: |context| Box::pin(revisions::get(context)),
    },
    Operation {
        method: Method::GET,
        path: "/api/v1/diff",
        id: "diff",
        summary: "The difference between two revisions",
        query: &[
            parameter("from", "integer", "The older revision."),
            parameter("to", "integer", "The newer one. Without it, the last one."),
        ],
        body: Takes::Nothing,
        statuses: &[404],
        run: |context| Box::pin(revisions::diff(context)),
    },
    Operation {
        method: Method::POST,
        path: "/api/v1/rollback",
        id: "rollback",
        summary: "Goes back to what was written right after a revision; that is a change as well",
        query: &[DRY_RUN, MESSAGE, FORCE],
        body: Takes::Json("Rollback"),
        statuses: &[404, 409, 422],
        run: |context| Box::pin(revisions::rollback(context)),
    },
    Operation {
        method: Method::POST,
        path: "/api/v1/explain",
        id: "explain",
        summary: "Why a request would go where it goes: every route that was tried, the plugins",
        query: &[],
        body: Takes::Json("Explain"),
        statuses: &[422],
        run: |context| now(explain::explain(&context)),
    },
    Operation {
        method: Method::GET,
        path: "/api/v1/explain/{id}",
        id: "explainLive",
        summary: "What became of a request that was sent with a debug token, and why",
        query: &[],
        body: Takes::Nothing,
        statuses: &[404],
        run: |context| Box::pin(live::get(context)),
    },
    Operation {
        method: Method::POST,
        path: "/api/v1/debug-tokens",
        id: "createDebugToken",
        summary: "Makes a token that lets live requests be explained: those that carry it",
        query: &[],
        body: Takes::Json("DebugTokenRequest"),
        statuses: &[201, 422],
        run: |context| now(live::make(&context)),
    },
    Operation {
        method: Method::GET,
        path: "/api/v1/documents",
        id: "findDocuments",
        summary: "Documents of a collection, by their ids",
        query: &[
            NAMESPACE,
            COLLECTION,
            LIMIT,
            CURSOR,
            parameter("offset", "integer", "How many to leave out."),
        ],
        body: Takes::Nothing,
        statuses: &[404],
        run: |context| Box::pin(documents::list(context)),
    },
    Operation {
        method: Method::DELETE,
        path: "/api/v1/documents",
        id: "clearDocuments",
        summary: "Deletes every document of a collection",
        query: &[NAMESPACE, COLLECTION, DRY_RUN, FORCE],
        body: Takes::Nothing,
        statuses: &[404, 409],
        run: |context| Box::pin(documents::clear(context)),
    },
    Operation {
        method: Method::GET,
        path: "/api/v1/documents/{id}",
        id: "getDocument",
        summary: "One document",
        query: &[NAMESPACE, COLLECTION],
        body: Takes::Nothing,
        statuses: &[404],
        run: |context| Box::pin(documents::get(context)),
    },
    Operation {
        method: Method::PUT,
        path: "/api/v1/documents/{id}",
        id: "putDocument",
        summary: "Writes a document, which must fit the schema of its collection",
        query: &[NAMESPACE, COLLECTION, DRY_RUN, MESSAGE],
        body: Takes::Json("Anything"),
        statuses: &[201, 404, 412, 422],
        run: |context| Box::pin(documents::put(context)),
    },
    Operation {
        method: Method::PATCH,
        path: "/api/v1/documents/{id}",
        id: "patchDocument",
        summary: "Changes a part of a document (JSON merge patch, RFC 7396)",
        query: &[NAMESPACE, COLLECTION, DRY_RUN, MESSAGE],
        body: Takes::Patch,
        statuses: &[404, 412, 422],
        run: |context| Box::pin(documents::patch(context)),
    },
    Operation {
        method: Method::DELETE,
        path: "/api/v1/documents/{id}",
        id: "deleteDocument",
        summary: "Deletes a document",
        query: &[NAMESPACE, COLLECTION, DRY_RUN, MESSAGE],
        body: Takes::Nothing,
        statuses: &[404, 412],
        run: |context| Box::pin(documents::delete(context)),
    },
    Operation {
        method: Method::GET,
        path: "/api/v1/tokens",
        id: "listTokens",
        summary: "The tokens of this API, without their secrets",
        query: &[],
        body: Takes::Nothing,
        statuses: &[],
        run: |context| Box::pin(tokens::list(context)),
    },
    Operation {
        method: Method::POST,
        path: "/api/v1/tokens",
        id: "createToken",
        summary: "Makes a token, which is shown this once",
        query: &[],
        body: Takes::Json("TokenRequest"),
        statuses: &[201, 409, 422],
        run: |context| Box::pin(tokens::create(context)),
    },
    Operation {
        method: Method::DELETE,
        path: "/api/v1/tokens/{name}",
        id: "revokeToken",
        summary: "Revokes a token",
        query: &[],
        body: Takes::Nothing,
        statuses: &[404],
        run: |context| Box::pin(tokens::revoke(context)),
    },
    Operation {
        method: Method::GET,
        path: "/api/v1/{kind}",
        id: "listResources",
        summary: "Resources of a kind, whoever owns them",
        query: &[
            ANY_NAMESPACE,
            LIMIT,
            CURSOR,
            parameter("name", "string", "Only names like this, in which `*` stands for anything."),
            parameter("label", "string", "Only those with this label: `key=value`."),
            parameter("owner", "string", "Only what this one owns: `store`, `file:/etc/…`."),
        ],
        body: Takes::Nothing,
        statuses: &[404],
        run: |context| now(resources::list(&context)),
    },
    Operation {
        method: Method::GET,
        path: "/api/v1/{kind}/{name}",
        id: "getResource",
        summary: "One resource",
        query: &[NAMESPACE],
        body: Takes::Nothing,
        statuses: &[404],
        run: |context| now(resources::get(&context)),
    },
    Operation {
        method: Method::PUT,
        path: "/api/v1/{kind}/{name}",
        id: "putResource",
        summary: "Writes a resource: makes it, or replaces all of it",
        query: WRITE,
        body: Takes::Spec,
        statuses: &[201, 404, 409, 412, 422],
        run: |context| Box::pin(resources::put(context)),
    },
    Operation {
        method: Method::PATCH,
        path: "/api/v1/{kind}/{name}",
        id: "patchResource",
        summary: "Changes a part of a resource (JSON merge patch, RFC 7396)",
        query: WRITE,
        body: Takes::Patch,
        statuses: &[404, 409, 412, 422],
        run: |context| Box::pin(resources::patch(context)),
    },
    Operation {
        method: Method::DELETE,
        path: "/api/v1/{kind}/{name}",
        id: "deleteResource",
        summary: "Takes a resource away, unless something needs it",
        query: WRITE,
        body: Takes::Nothing,
        statuses: &[404, 409, 412],
        run: |context| Box::pin(resources::delete(context)),
    },
];
