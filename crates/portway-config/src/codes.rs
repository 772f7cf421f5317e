//! The codes of problems: words that programs may rely on. One never changes its meaning.

/// Every code with what it means. The first part stops a configuration, the second is a warning;
/// `same_route` is a warning in a document of another gateway.
pub const CODES: &[(&str, &str)] = &[
    // The text.
    ("not_utf8", "the document is not UTF-8"),
    ("control_character", "a control character stands in the document, as after a torn write"),
    ("empty_document", "the document says nothing"),
    ("syntax", "the document is not YAML, JSON or TOML"),
    ("multiple_documents", "a second YAML document begins in the file"),
    ("too_deep", "lists and maps nest too deep"),
    ("unknown_tag", "a YAML tag is not known"),
    ("alias_loop", "a YAML alias stands inside what it stands for"),
    ("alias_bomb", "YAML aliases stand for too many values"),
    ("duplicate_key", "a key stands in its map twice"),
    // References.
    (
        "bad_reference",
        "a reference is not written as ${NAME}, ${NAME:-default}, ${file:/path} or ${secret:name}",
    ),
    ("unset_variable", "an environment variable is not set and has no default"),
    ("unreadable_file", "a file cannot be read"),
    ("unknown_secret", "a reference names a secret that its namespace does not have"),
    // Keys and values.
    ("unknown_key", "no such key exists here"),
    ("missing_key", "a key is required here"),
    ("one_of", "exactly one of several keys is required here"),
    ("wrong_type", "the value is of another type"),
    ("out_of_range", "the number is too small or too large"),
    ("unknown_value", "the value is not one of those that are known"),
    ("bad_value", "the value is not well-formed"),
    ("bad_path", "the path, pattern or template is not well-formed"),
    ("bad_regex", "the regular expression is not well-formed, or too large"),
    ("bad_url", "the URL is not well-formed"),
    ("unsupported_scheme", "services are not reached by this scheme"),
    ("forbidden_upgrade", "the protocol would tunnel requests past routing"),
    // Names and references between resources.
    ("duplicate_name", "two resources of a kind have one name in one namespace"),
    ("name_mismatch", "a resource is called otherwise than the place it is written to"),
    ("foreign_key", "a key stands where there are resources only"),
    ("owned_elsewhere", "two sources say the same thing"),
    ("unknown_namespace", "a resource belongs to a namespace that does not exist"),
    ("unknown_certificate", "a domain shows a certificate that does not exist"),
    ("duplicate_pattern", "two domains of one priority have one pattern"),
    ("bad_schema", "the schema of a collection is not a JSON Schema"),
    ("namespace_mismatch", "a route is in another namespace than its service"),
    ("nested_target", "a route under a service names a target"),
    ("missing_target", "a route of its own names no target"),
    ("unknown_service", "a target names a service that does not exist"),
    // Services.
    ("url_and_endpoints", "a service has both a url and endpoints"),
    ("no_endpoint", "a service has neither a url nor endpoints"),
    ("duplicate_endpoint", "a service has one endpoint twice"),
    ("no_weight", "every weight is 0, or there is nothing to weigh"),
    ("mixed_endpoints", "the endpoints of a service are not all HTTP, all TCP or all UDP"),
    ("http2_never", "HTTP/2 is switched off for an endpoint that speaks nothing else"),
    (
        "unpaired_key",
        "a certificate stands without its private key, or a key without a certificate",
    ),
    // Listeners.
    ("tls_not_ended", "TLS is to be ended on a listener that passes bytes on"),
    ("udp_on_socket", "datagrams are to come by a Unix domain socket"),
    ("no_certificate", "a listener with TLS has no certificate"),
    ("no_cipher_suite", "no cipher suite is left that could be used"),
    ("missing_ca", "client certificates are asked for, and nobody may issue them"),
    // Routes.
    ("empty_match", "a list of matches is empty"),
    ("exact_and_regex", "a condition has both exact and regex"),
    ("same_route", "two routes can never be told apart"),
    ("unknown_capture", "a template wants a capture that a match does not provide"),
    ("useless_strip_prefix", "no path of the route begins with the prefix that is taken off"),
    ("raw_with_rewrite", "the path is rewritten and forwarded as it came"),
    ("body_not_allowed", "an answer of this status has no body"),
    ("framing_field", "a fixed answer sets a field that the gateway sets"),
    ("redirect_loop", "a redirect leads to where it comes from"),
    // Routes and the protocols of their listeners and services.
    ("unknown_listener", "a route names a listener that does not exist"),
    ("protocol_mismatch", "a route cannot take what comes to a listener it names"),
    ("foreign_match", "a route has a condition or a change that its protocol has not"),
    ("foreign_target", "a route that takes no requests leads to something other than a service"),
    ("endpoint_mismatch", "a route leads to a service of another protocol"),
    ("path_and_prefix", "a redirect has both a path and a prefix"),
    ("no_prefix_match", "a redirect replaces the prefix of a match that has none"),
    ("bad_template", "the template of a reply is not well-formed"),
    ("unknown_template_value", "a template wants a value that does not exist"),
    // Plugins and consumers.
    ("unknown_plugin", "no plugin, shared instance or wider attachment has this name"),
    ("duplicate_plugin", "one level has attached two plugins under one name"),
    ("foreign_plugin", "plugins are attached where there are no requests"),
    ("duplicate_credential", "two consumers have one credential"),
    // The admin API.
    ("admin_without_authentication", "everybody who reaches it could change the gateway"),
    // Addresses.
    (
        "address_conflict",
        "two listeners, or one and the probes or the admin API, would bind one address",
    ),
    // Warnings.
    ("empty_directory", "a directory has no configuration file"),
    ("no_routes", "there is no route"),
    ("disabled_service", "a route leads to nothing but disabled services"),
    ("no_effect", "a key has no effect on this kind of route"),
    ("timeout_never_reached", "a stage may take longer than the whole request"),
    ("insecure_skip_verify", "a service's certificates are not verified"),
    ("clear_credentials", "passwords and tokens of the admin API come without TLS"),
    ("own_address", "a service's endpoint is the gateway itself"),
];
