// Owns every limit of what crosses a wire or comes from a stranger, at every door, by name, so that sender and receiver cannot differ.
// Limits that `apply` or the shape of content depend on stand beside their rule in libs/domain. docs/developing.md has a table of all.

/** Longest password in characters. */
export const PASSWORD_CHARACTERS_MAX = 1024;
/** Shortest password that can be set, in characters. */
export const PASSWORD_CHARACTERS_MIN = 8;

/** Longest manifest in its canonical bytes. */
export const MANIFEST_BYTES_MAX = 10 * 1024 * 1024;

/** Longest sealed grant in bytes. */
export const GRANT_BYTES_MAX = 512;
/** How far ahead of a tracker's clock a grant may expire. */
export const GRANT_LIFETIME_MS = 120_000;
/** How far the clocks of a tracker and a seeder may be apart: a grant that would last longer is refused, whoever signed it. */
export const GRANT_CLOCK_SKEW_MAX_MS = 300_000;

/** Longest text of a tracker_info.txt, in characters. */
export const TRACKER_INFO_CHARACTERS_MAX = 64 * 1024;
/** Most trackers that one tracker_info.txt may list. */
export const TRACKER_COUNT_MAX = 64;

/** Longest record of the log in UTF-8 bytes. */
export const RECORD_BYTES_MAX = 64 * 1024;
/** Longest batch that is appended to the log at once, in bytes of its records. */
export const APPEND_BATCH_BYTES_MAX = 900 * 1024;

/** Longest message of the RPC between peers and trackers, in bytes. */
export const RPC_MESSAGE_BYTES_MAX = 256 * 1024;
/** How long a message may take to come, from its first byte to its last. */
export const RPC_MESSAGE_TIMEOUT_MS = 10_000;
/** Replies and pushes that may wait for a peer that does not read. */
export const RPC_UNREAD_BYTES_MAX = 4 * RPC_MESSAGE_BYTES_MAX;
/** Connections of peers: when all places are taken, the oldest one without a session gives way. */
export const RPC_CONNECTIONS_MAX = 25_000;
/** How many of them may come from one address: as many peers behind one router, and no host alone takes all places. */
export const RPC_CONNECTIONS_PER_ADDRESS_MAX = 2_000;
/** How many of them one peer may have. */
export const RPC_CONNECTIONS_PER_PEER_MAX = 8;
/** Connections in the middle of the TLS handshake: the oldest gives way. */
export const RPC_HANDSHAKES_MAX = 1_024;
/** How many of these may come from one address. */
export const RPC_HANDSHAKES_PER_ADDRESS_MAX = 256;
/** How long the TLS handshake may take. */
export const RPC_HANDSHAKE_TIMEOUT_MS = 5_000;
/** Three heartbeats: whoever neither sends nor takes a byte for that long is gone, or stuck. */
export const RPC_IDLE_TIMEOUT_MS = 30_000;

/** Most items of one page of a list. */
export const LIST_LIMIT_MAX = 1000;
/** Longest `after` of a list, in characters: the longest name there is, and some. */
export const LIST_CURSOR_CHARACTERS_MAX = 300;
/** What a client may call a request, to find it again in logs. */
export const CORRELATION_ID_CHARACTERS_MAX = 64;

/** How often a peer tells every tracker that it is there. */
export const PRESENCE_HEARTBEAT_MS = 10_000;
/** Most downloads that a peer tells trackers of: with the longest names that there are they still fit one message. */
export const PRESENCE_DOWNLOADS_MAX = 256;
/** Most runs of shares that a peer tells trackers it cannot serve now: beside all the downloads they still fit. */
export const PRESENCE_UNSERVED_RUNS_MAX = 1024;
/** How long a tracker takes a silent peer to be there. */
export const PRESENCE_EXPIRY_MS = 30_000;

/**
 * Connections that every door accepts beyond its places before any of them is heard: all that the system has waiting for one server
 * (`backlog`, 511 in Node). Then the first of them are heard, and have places, whoever comes.
 */
export const DOOR_UNHEARD_MAX = 512;

/** Connections to the control endpoint: when all places are taken, the oldest one without a token gives way. */
export const CONTROL_CONNECTIONS_MAX = 512;

/** Longest run of bytes that one `request` between peers may ask for, and one `piece` frame may carry. */
export const BLOCK_BYTES_MAX = 1024 * 1024;
/** Longest part of a manifest in one frame. */
export const MANIFEST_PART_BYTES_MAX = 256 * 1024;
/** Most pieces that one `have` frame may name. */
export const HAVE_PIECES_MAX = 1024;
/** Requests that a peer may have waiting at another over one connection; more is a breach of the protocol. */
export const PEER_REQUESTS_MAX = 256;
/** How long the dialling and the listening side wait for a connection to be made and admitted. */
export const PEER_HANDSHAKE_TIMEOUT_MS = 10_000;
/** How long a frame may take to come, from its first byte to its last. */
export const PEER_FRAME_TIMEOUT_MS = 10_000;
/** How long a connection between peers may be silent before either side closes it. */
export const PEER_IDLE_TIMEOUT_MS = 60_000;
/** How often the dialling side of a silent connection says that it is there. */
export const PEER_KEEP_ALIVE_MS = 20_000;
/** Connections from other peers that one worker accepts. */
export const PEER_CONNECTIONS_MAX = 512;
/** How many of them may be without a grant yet, in the middle of the TLS handshake or behind it: the oldest gives way. */
export const PEER_HANDSHAKES_MAX = 128;
/** How many of these may come from one remote address. */
export const PEER_HANDSHAKES_PER_ADDRESS_MAX = 64;
/** What may wait for a peer that does not read: who asks for one thing after the other never has so much unread. */
export const PEER_UNREAD_BYTES_MAX = 4 * 1024 * 1024;
/** Connections that one worker admits from one peer. */
export const PEER_CONNECTIONS_PER_PEER_MAX = 64;

/** Lowest and highest rate that a peer can be limited to, in bytes per second. Slower connections look like stalled ones. */
export const RATE_MIN = 1024;
export const RATE_MAX = 1e12;
/** Most transfers that a limit of active ones may allow. */
export const ACTIVE_TRANSFERS_MAX = 10_000;
/** Most groups that may have limits of their own. */
export const LIMITED_GROUPS_MAX = 256;

/** Requests of one connection that begin before others have their turn. */
export const RPC_REQUESTS_PER_TURN_MAX = 4;
/** Requests of one connection that have begun and have no answer yet; commands answer `busy` long before. */
export const RPC_REQUESTS_UNDER_WAY_MAX = 512;
/** What may wait for a peer that does not read when it is to be pushed more. */
export const PUSHES_UNREAD_BYTES_MAX = 256 * 1024;
/** Commands that a tracker has under way. */
export const COMMANDS_AT_ONCE_MAX = 4_096;
/** How many of them may be of one peer. */
export const COMMANDS_PER_PEER_MAX = 256;
/** Longest time from a command to its answer. */
export const COMMAND_TIMEOUT_MS = 5_000;
/** How long a tracker waits to have read what a peer has seen. */
export const SEEN_OFFSET_TIMEOUT_MS = 1_500;
/** Groups whose files one peer may watch at a tracker. */
export const WATCHED_GROUPS_MAX = 64;
/** Rows of a watched group that are told at once; of more it is told to read the list anew. */
export const FILES_CHANGED_MAX = 200;
/** Most sessions of a user that are shown. */
export const SESSIONS_SHOWN_MAX = 1_000;
/** More sources than a download can use, few enough for one message. */
export const SOURCES_SHOWN_MAX = 64;
/** Sources of attempts that each limit of attempts remembers. */
export const RATE_LIMIT_KEYS_MAX = 100_000;
/** Connections to a tracker's port for operators: the oldest gives way. */
export const OPERATOR_CONNECTIONS_MAX = 256;
/** How long a request at a tracker's port for operators may take to come. */
export const OPERATOR_REQUEST_TIMEOUT_MS = 15_000;
/** Questions of auditors that a tracker answers at once, each in a thread of its own. */
export const AUDIT_QUESTIONS_AT_ONCE_MAX = 2;
/** How many of them may be of one key. */
export const AUDIT_AT_ONCE_PER_KEY_MAX = 1;
/** How many more may wait for their turn. */
export const AUDIT_QUESTIONS_WAITING_MAX = 8;
/** How many of these may be of one key. */
export const AUDIT_WAITING_PER_KEY_MAX = 4;
/** What the thread of one of them may have on its heap. */
export const AUDIT_HEAP_BYTES_MAX = 1024 * 1024 * 1024;
/** What the items of one page of an answer may take: the page ends before the item that would be too much. */
export const AUDIT_PAGE_BYTES_MAX = 1024 * 1024;
/** How long the thread of a page waits to be asked for the next one, which it has no replay to do for. */
export const AUDIT_NEXT_PAGE_TIMEOUT_MS = 30_000;
/** How long nothing may come from the log, or be read of an answer, before a question is given up. */
export const AUDIT_STALL_TIMEOUT_MS = 60_000;
/** Peers whose presence a tracker keeps: as many as it has connections. */
export const PRESENCE_PEERS_MAX = 25_000;
/** How long a tracker tries to connect to where a peer says it is. */
export const REACHABILITY_TIMEOUT_MS = 2_000;
/** How many of these tries are under way at once. */
export const REACHABILITY_TRIES_MAX = 16;
/** Addresses of which a tracker remembers whether they answered. */
export const REACHABILITY_KEPT_MAX = 25_000;
/** Longest wait of a password for its turn: whoever sent the command looks elsewhere after that. */
export const PASSWORD_WAIT_TIMEOUT_MS = 4_000;
/** Who has not sent all of a request after this, or says nothing after it connected, is cut off. */
export const CONTROL_REQUEST_TIMEOUT_MS = 15_000;
/** Groups whose files one client of events may watch. */
export const EVENT_WATCHES_MAX = 20;
/** What may wait for a client of events that does not read. */
export const EVENTS_UNREAD_BYTES_MAX = 1024 * 1024;
/** How long requests may stay without a single byte before the connection is given up. */
export const PEER_STALL_TIMEOUT_MS = 5_000;
/** Sources that a download is connected to at a time. */
export const CONNECTED_SOURCES_MAX = 32;
/** Files that are read over HTTP at a time, and most downloads that are there for readers alone. */
export const STREAMS_MAX = 64;
/** What one of them has in memory at a time: while this is being sent, as much again is read. */
export const STREAM_BUFFER_BYTES_MAX = 1024 * 1024;
/** What is fetched before all else for one of them, from where it is read on; it waits on disk. */
export const STREAM_READ_AHEAD_BYTES_MAX = 32 * 1024 * 1024;
/** How long one of them waits for bytes that nobody sends. */
export const STREAM_STALL_TIMEOUT_MS = 30_000;
/** How long what was fetched for streams alone is there after the last one. */
export const STREAM_LINGER_MS = 120_000;
/** The same where nobody got a byte of it: who asks what it is, or leaves at once, may come for it right after. */
export const STREAM_UNREAD_LINGER_MS = 5_000;
/** Longest life of a link to a file. */
export const CONTENT_LINK_SECONDS_MAX = 24 * 3600;
/**
 * What a download may have asked for and not got, over all its connections, each with an equal part: so much is lost at most when its
 * peer dies, beside the piece that each is in the middle of, and what was asked of two at the end.
 */
export const OUTSTANDING_BYTES_MAX = 32 * 1024 * 1024;
/** Copies of its own that a peer looks through before it fetches something, the likeliest first. */
export const REUSED_COPIES_MAX = 64;
/** What the manifests of these may take together. */
export const REUSED_MANIFEST_BYTES_MAX = 32 * 1024 * 1024;
/** Longest body of a request to the control endpoint. */
export const CONTROL_BODY_BYTES_MAX = 64 * 1024;
/** Files that are dropped on the page at a time. */
export const DROPS_AT_ONCE_MAX = 16;
/** Longest wait for a transfer in one request. */
export const WAIT_SECONDS_MAX = 7 * 24 * 3600;
/** Longest name in an address of the control endpoint: the longest there is, with each of its bytes escaped. */
export const NAME_IN_ADDRESS_CHARACTERS_MAX = 765;
/** Longest path in a request. */
export const PATH_CHARACTERS_MAX = 4096;
/** Most globs in one list of a request, and the longest of them. */
export const GLOBS_MAX = 256;
export const GLOB_CHARACTERS_MAX = 1024;
/** Longest wait for an event in one request. */
export const EVENT_POLL_SECONDS_MAX = 60;
/** Passwords that wait for their turn to be hashed. */
export const PASSWORDS_QUEUED_MAX = 256;
/** Users that one network may create at once, and the time after which it may create one more. */
export const NEW_USERS_BURST_MAX = 1_000;
export const NEW_USERS_REFILL_MS = 1_000;
/** Wrong passwords from one network at once, and the time after which one more may be tried. */
export const MISSES_OF_ADDRESS_BURST_MAX = 100;
export const MISSES_OF_ADDRESS_REFILL_MS = 1_000;
/** Wrong passwords of one user at once, and the time after which one more may be tried. */
export const MISSES_OF_USER_BURST_MAX = 200;
export const MISSES_OF_USER_REFILL_MS = 2_000;
/** Wrong passwords of one user from one network: the narrowest, so that a stranger elsewhere cannot lock a user out. */
export const MISSES_OF_BOTH_BURST_MAX = 10;
export const MISSES_OF_BOTH_REFILL_MS = 10_000;
/** Addresses that one network may have tried at once, and the time after which one more: a tracker is no port scanner. */
export const REACHABILITY_BURST_MAX = 300;
export const REACHABILITY_REFILL_MS = 200;
