// Runs the handshake on a connection, with a time limit. Reads exactly its bytes, so that the bytes of Yamux stay in the socket.
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { FleetError } from '../errors.ts';
import {
  type Claim,
  claimLength,
  decodeClaim,
  decodeVerdict,
  encodeClaim,
  encodeVerdict,
  GREETING,
  greetingOf,
  NONCE,
  nonceOf,
  VERDICT,
  VERDICTS,
  Verdict,
} from './handshake.ts';

/**
 * The dialing side. Resolves when both sides have authenticated each other.
 * @throws FleetError (`ERR_YAMUX_FLEET_PEER_REJECTED`)
 */
export async function introduce(socket: Duplex, claim: Claim, secret: string): Promise<void> {
  const theirNonce = nonceOf(await read(socket, GREETING));
  if (theirNonce === undefined) throw rejected('Expected the greeting of a peer port, got something else');
  const bytes = encodeClaim(claim, secret, theirNonce, randomBytes(NONCE));
  socket.write(bytes);
  const verdict = decodeVerdict(await read(socket, VERDICT), bytes, secret, theirNonce);
  if (verdict === undefined) throw rejected('The peer does not know the secret');
  if (verdict !== Verdict.Welcome) throw rejected(`The peer refused: ${VERDICTS[verdict] ?? `verdict ${verdict}`}`);
}

/**
 * The listening side. Resolves with the claim of the dialing node. `judge` decides about a claim whose proof is correct.
 * @throws FleetError (`ERR_YAMUX_FLEET_PEER_REJECTED`); the peer was told why.
 */
export async function welcome(socket: Duplex, secret: string, judge: (claim: Claim) => Verdict): Promise<Claim> {
  const nonce = randomBytes(NONCE);
  socket.write(greetingOf(nonce));
  const head = await read(socket, 2);
  const length = claimLength(head);
  if (length === undefined) throw rejected('A claim was too long');
  const bytes = Buffer.concat([head, await read(socket, length - head.length)]);
  const received = decodeClaim(bytes, secret, nonce);
  if (received === undefined) throw rejected('Expected the claim of a peer, got something else');
  const { claim, hasProof } = received;
  const verdict = hasProof ? judge(claim) : Verdict.WrongSecret;
  socket.write(encodeVerdict(verdict, bytes, secret, nonce));
  if (verdict !== Verdict.Welcome) throw rejected(`'${claim.name}' was refused: ${VERDICTS[verdict]}`);
  return claim;
}

/** Reads exactly this many bytes; the following bytes stay in the socket. */
function read(socket: Duplex, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      const bytes = error === undefined ? (socket.read(length) as Buffer | null) : null;
      if (bytes === null && error === undefined && !socket.readableEnded && !socket.destroyed) return;
      socket.off('readable', onReadable).off('end', onEnd).off('error', onEnd).off('close', onEnd);
      if (bytes?.length === length) resolve(bytes);
      else reject(rejected('The connection ended within the handshake', error));
    };
    const onReadable = (): void => settle();
    const onEnd = (error?: Error): void => settle(error ?? new Error('The connection was closed'));
    socket.on('readable', onReadable).on('end', onEnd).on('error', onEnd).on('close', onEnd);
    settle();
  });
}

function rejected(message: string, cause?: unknown): FleetError {
  return new FleetError('ERR_YAMUX_FLEET_PEER_REJECTED', message, { scope: 'session', cause });
}
