// Nest's names for what the control endpoint is given beside its ports.

/** The peer's id, 64 lowercase hex characters. */
export const PEER_ID = Symbol('PeerId');
/** `StatusFacts`: what does not change while the peer runs. */
export const STATUS_FACTS = Symbol('StatusFacts');
/** The transfer engine's port. */
export const TRANSFER_ENGINE = Symbol('TransferEngine');
/** `{ view(): KeepingView }`: the copies that the peer keeps by itself. Not there when it was not started to do that. */
export const COPY_KEEPING = Symbol('CopyKeeping');
/** The folder of the peer's data, as text. */
export const DATA_DIRECTORY = Symbol('DataDirectory');
/** `PageFiles`: the page as it was built; empty where it was not. */
export const PAGE_FILES = Symbol('PageFiles');
