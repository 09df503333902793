// One of the two measured processes: serves every stream. Its starter kills it.

import { begin, tell } from './child.ts';

const { implementation, benchCase } = begin();
const { port } = await implementation.listen((stream) => benchCase.serve(stream));
tell({ port });
