// The numbers of the Yamux wire format. Source: hashicorp/yamux, spec.md and const.go; libp2p/specs, yamux/README.md.

/** Bytes in a frame's header: version 1, type 1, flags 2, stream id 4, length 4; big endian. */
export const HEADER_SIZE = 12;

/** The only version there is. */
export const PROTOCOL_VERSION = 0;

/** Each direction of a stream starts with exactly this many bytes of credit; more is only ever granted by WindowUpdate. */
export const INITIAL_WINDOW = 262_144;

/** The largest value of a header's id and length fields, and so of a window. */
export const MAX_UINT32 = 0xffff_ffff;

/** The four types of frames. */
export const FrameType = {
  /** `length` bytes of payload follow the header. */
  Data: 0,
  /** `length` is credit, added to what the receiver of this frame may send; with RST it is an error code. */
  WindowUpdate: 1,
  /** `length` is an opaque value: SYN asks, ACK answers with the same value. */
  Ping: 2,
  /** `length` is a GoAwayCode. */
  GoAway: 3,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

export const Flag = {
  /** Opens a stream, or asks for a pong. */
  Syn: 1,
  /** Accepts a stream, or answers a ping. */
  Ack: 2,
  /** The sender sends no more data on this stream. */
  Fin: 4,
  /** Ends both directions of the stream at once. */
  Rst: 8,
} as const;

/** The codes of GoAway that the protocol names; a peer may send any other. */
export const GoAwayCode = {
  /** New streams are refused; live ones may continue. */
  Normal: 0,
  /** The receiver of this frame broke the protocol. */
  ProtocolError: 1,
  /** Its sender cannot go on. */
  InternalError: 2,
} as const;
export type GoAwayCode = (typeof GoAwayCode)[keyof typeof GoAwayCode];

/** Frames of the session itself (Ping, GoAway) carry this stream id. */
export const SESSION_ID = 0;
