// The figures of a session at one moment.

/** The figures of a session at one moment. */
export interface SessionStats {
  /** Live streams of both directions. */
  readonly streams: number;
  /** Live streams that the peer opened. */
  readonly inboundStreams: number;
  /** Live streams that this side opened. */
  readonly outboundStreams: number;
  /** Inbound streams that the application has not accepted yet. */
  readonly backlog: number;
  /** Streams opened by us that the peer has not answered. */
  readonly unacknowledged: number;
  /** open() calls that wait for a slot. */
  readonly waitingOpens: number;
  /** Bytes from the transport, headers included. */
  readonly bytesReceived: number;
  /** Handed to the transport, headers included. */
  readonly bytesSent: number;
  /** Whole headers that were received. */
  readonly framesReceived: number;
  /** Frames that were handed to the transport. */
  readonly framesSent: number;
  /** Bytes that the peer may make us hold on its live streams: the sum of their receive windows. */
  readonly receiveWindows: number;
  /** Streams that have ended on the wire and that the application has neither read to the end nor destroyed. */
  readonly keptStreams: number;
  /** Received bytes that the application has not read. */
  readonly unreadBytes: number;
  /** Bytes handed over or waiting as control frames. Payload that waits in a stream is its writableLength. */
  readonly queuedBytes: number;
  /** ms: the least of the recent round trips; undefined before the first pong. */
  readonly rtt: number | undefined;
}
