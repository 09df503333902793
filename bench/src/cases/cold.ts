// A case without a warm-up: each round is the first second of new processes.
import type { Case } from '../case.ts';

export function cold(warm: Case): Case {
  return {
    ...warm,
    name: `${warm.name}-cold`,
    isCold: true,
    figures: warm.figures.map((figure) => ({
      ...figure,
      name: `${figure.name}-cold`,
      title: `${figure.title}, the first second of new processes`,
    })),
  };
}
