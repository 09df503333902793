// The values in the engine. They are short, because there is one for each name, and checked when read, because anything with access to the engine
// may have written them.
import type { Agent, NodeRecord, Placement } from '../directory/directory.ts';

/** The number of sessions, then id and weight of each agent: `[2,"a",1,"b",1]`. */
export function encodePlacement({ sessions, agents }: Placement): string {
  if (sessions === 0) return '';
  return JSON.stringify([sessions, ...agents.flatMap(({ id, weight }) => [id, weight])]);
}

/** Undefined for an invalid value. */
export function decodePlacement(node: string, text: string): Placement | undefined {
  const value = parsed(text);
  if (!Array.isArray(value)) return undefined;
  const [sessions, ...rest] = value as unknown[];
  if (!isPositive(sessions) || rest.length % 2 !== 0) return undefined;
  const agents: Agent[] = [];
  for (let index = 0; index < rest.length; index += 2) {
    const [id, weight] = [rest[index], rest[index + 1]];
    if (typeof id !== 'string' || typeof weight !== 'number' || !(weight >= 0)) return undefined;
    agents.push({ id, weight });
  }
  return { node, sessions, agents };
}

export function encodeRecord({ id, name, address, weight, sessions, load, draining }: NodeRecord): string {
  return JSON.stringify({ id, name, address, weight, sessions, load, draining });
}

/** Undefined for an invalid value. */
export function decodeRecord(text: string | null): NodeRecord | undefined {
  const value = text === null ? undefined : parsed(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, name, address, weight, sessions, load, draining } = value as Readonly<Record<string, unknown>>;
  if (typeof id !== 'string' || typeof name !== 'string' || typeof address !== 'string') return undefined;
  if (!isPositive(weight) || typeof load !== 'number' || typeof draining !== 'boolean') return undefined;
  return { id, name, address, weight, sessions: typeof sessions === 'number' ? sessions : 0, load, draining };
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && value > 0;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
