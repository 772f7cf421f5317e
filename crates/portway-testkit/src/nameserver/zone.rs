//! What the name server knows.

use std::collections::HashMap;
use std::net::IpAddr;

use hickory_proto::op::{Message, Metadata, Query, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA};
use hickory_proto::rr::{Name, RData, Record, RecordType};

/// Names, and what was asked for them.
#[derive(Default)]
pub(super) struct Zone {
    names: HashMap<String, Entry>,
    queries: HashMap<String, u64>,
}

/// What to say about a name.
pub(super) enum Entry {
    Addresses { addrs: Vec<IpAddr>, ttl: u32 },
    Failure,
    Silence,
}

impl Zone {
    pub(super) fn insert(&mut self, name: &str, entry: Entry) {
        self.names.insert(key(name), entry);
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.names.remove(&key(name));
    }

    pub(super) fn queries(&self) -> u64 {
        self.queries.values().sum()
    }

    pub(super) fn queries_for(&self, name: &str) -> u64 {
        self.queries.get(&key(name)).copied().unwrap_or(0)
    }

    /// The answer to a message; `None` is silence.
    pub(super) fn answer(&mut self, request: &Message) -> Option<Message> {
        let mut answer = Message::response(request.metadata.id, request.metadata.op_code);
        answer.metadata = Metadata::response_from_request(&request.metadata);
        answer.metadata.authoritative = true;
        let [query] = request.queries.as_slice() else {
            answer.metadata.response_code = ResponseCode::FormErr;
            return Some(answer);
        };
        answer.add_query(query.clone());
        let name = key(&query.name().to_ascii());
        *self.queries.entry(name.clone()).or_default() += 1;
        match self.names.get(&name) {
            Some(Entry::Addresses { addrs, ttl }) => {
                answer.add_answers(addrs.iter().filter_map(|addr| record(query, *addr, *ttl)));
            }
            Some(Entry::Failure) => answer.metadata.response_code = ResponseCode::ServFail,
            Some(Entry::Silence) => return None,
            None => answer.metadata.response_code = ResponseCode::NXDomain,
        }
        Some(answer)
    }
}

/// Names are equal in any case, with or without the last dot.
fn key(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// The record for an address, if it is of the kind that was asked for.
fn record(query: &Query, addr: IpAddr, ttl: u32) -> Option<Record> {
    let data = match (query.query_type(), addr) {
        (RecordType::A, IpAddr::V4(addr)) => RData::A(A(addr)),
        (RecordType::AAAA, IpAddr::V6(addr)) => RData::AAAA(AAAA(addr)),
        _ => return None,
    };
    let name: Name = query.name().clone();
    Some(Record::from_rdata(name, ttl, data))
}
