// 1xx: what an origin says before its answer. A proxy passes it on (RFC 9110 §15.2), to clients that know of it.
import type { IncomingMessage, InformationEvent, ServerResponse } from 'node:http';
import { endToEnd } from './headers.ts';

export function passInformation(
  information: InformationEvent,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (response.headersSent || request.httpVersion === '1.0') return;
  switch (information.statusCode) {
    case 100:
      response.writeContinue();
      return;
    case 102:
      response.writeProcessing();
      return;
    case 103:
      passEarlyHints(information, response);
      return;
    default: // node:http writes no others
  }
}

function passEarlyHints({ rawHeaders }: InformationEvent, response: ServerResponse): void {
  const hints: Record<string, string | string[]> = {};
  const links: string[] = [];
  const headers = endToEnd(rawHeaders);
  for (let index = 0; index < headers.length; index += 2) {
    const [name, value] = headers.slice(index, index + 2) as [string, string];
    if (name.toLowerCase() === 'link') links.push(value);
    else hints[name] = value;
  }
  try {
    response.writeEarlyHints({ ...hints, link: links });
  } catch {
    // It takes fewer forms of Link than there are. A hint is no promise: the answer has the header too.
  }
}
