// The figures of a session at one moment.

export interface SessionStats {
  readonly streams: number;
  readonly inboundStreams: number;
  readonly outboundStreams: number;
  /** Inbound streams that nobody has accepted yet. */
  readonly backlog: number;
  /** Streams opened by us that the peer has not answered. */
  readonly unacknowledged: number;
  /** open() calls that wait for a slot. */
  readonly waitingOpens: number;
  /** Bytes and frames over the transport, headers included. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly framesReceived: number;
  readonly framesSent: number;
  /** Bytes that the peer may make us hold on its live streams: the sum of their receive windows. */
  readonly receiveWindows: number;
  /** Bytes handed over or waiting as control frames; payload that waits in the streams is each stream's writableLength. */
  readonly queuedBytes: number;
  /** ms: the least of the recent round trips; undefined before the first pong. */
  readonly rtt: number | undefined;
}
