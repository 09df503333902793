// What an open is to be kept together by. Tenants and addresses may look alike and are not.
import type { RoutingContext } from '../routing.ts';

export type KeyKind = 'affinityKey' | 'sourceIp';

/** An empty key is none. */
export function kindOfKey({ affinityKey, sourceIp }: RoutingContext): KeyKind | undefined {
  if (affinityKey) return 'affinityKey';
  return sourceIp ? 'sourceIp' : undefined;
}

const MAPPED_IPV4 = '::ffff:';

export function keyOf(kind: KeyKind, { affinityKey = '', sourceIp = '' }: RoutingContext): string {
  if (kind === 'affinityKey') return affinityKey;
  // A dual-stack listener shows the same client as either.
  const isMapped = sourceIp.includes('.') && sourceIp.slice(0, MAPPED_IPV4.length).toLowerCase() === MAPPED_IPV4;
  return isMapped ? sourceIp.slice(MAPPED_IPV4.length) : sourceIp;
}
