// The part of a Redis server that ioredis needs: SET, GET and QUIT, pipelined or not. Every other command is answered with OK.

import net from 'node:net';

/** `connections` are the open ones. */
export function redisServer(): { server: net.Server; connections: Set<net.Socket> } {
  const values = new Map<string, string>();
  const connections = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket)).on('error', () => {});
    let unread = '';
    socket.on('data', (chunk: Buffer) => {
      unread += chunk.toString('latin1');
      for (let command = nextCommand(unread); command; command = nextCommand(unread)) {
        unread = unread.slice(command.length);
        const [name = '', key = '', value = ''] = command.words;
        if (name.toUpperCase() === 'SET') values.set(key, value);
        const found = values.get(key);
        const isGet = name.toUpperCase() === 'GET' && found !== undefined;
        socket.write(isGet ? `$${found.length}\r\n${found}\r\n` : '+OK\r\n', 'latin1');
        if (name.toUpperCase() === 'QUIT') socket.end();
      }
    });
  });
  return { server, connections };
}

/** The first whole command of `text`, an array of bulk strings. */
function nextCommand(text: string): { words: string[]; length: number } | undefined {
  const words: string[] = [];
  let at = text.indexOf('\r\n') + 2;
  const count = Number(text.slice(1, at - 2));
  for (let index = 0; index < count; index += 1) {
    const lineEnd = text.indexOf('\r\n', at);
    const start = lineEnd + 2;
    const end = start + Number(text.slice(at + 1, lineEnd));
    if (lineEnd === -1 || text.length < end + 2) return undefined;
    words.push(text.slice(start, end));
    at = end + 2;
  }
  return at < 2 ? undefined : { words, length: at };
}
