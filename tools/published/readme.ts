// A package's README as the registry shows it, which knows no files of this repository.
import { posix, relative, sep } from 'node:path';

/**
 * Makes links to files of the repository absolute. As long as the repository is nowhere (`repository` undefined), their text stays, without a link:
 * better none than one that leads nowhere.
 */
export function publishedReadme(text: string, folder: string, root: string, repository: string | undefined): string {
  const below = relative(root, folder).split(sep).join('/');
  return text.replace(/\[([^\]]*)\]\((?!https?:|#)([^)]*)\)/g, (_link, label: string, path: string) => {
    return repository === undefined ? label : `[${label}](${repository}/blob/main/${posix.join(below, path)})`;
  });
}
