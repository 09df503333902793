// The server process: serves every stream. Its parent kills it.

import { begin, tell } from './child.ts';
import type { Implementation } from './implementation.ts';
import { serve } from './serve.ts';

const { contender } = begin();
const { port } = await (contender as Implementation).listen(serve);
tell({ port });
