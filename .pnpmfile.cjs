// What is packed is the manifest without what only this workspace understands: the condition by which it finds sources, scripts, and the
// packages that it is developed with. Where the code is, the root's manifest says for all.
const { repository } = require('./package.json');

const SOURCE = '@zishuo/source';

function withoutSource(target) {
  if (typeof target !== 'object' || target === null) return target;
  const entries = Object.entries(target).filter(([condition]) => condition !== SOURCE);
  return Object.fromEntries(entries.map(([condition, inner]) => [condition, withoutSource(inner)]));
}

module.exports = {
  hooks: {
    beforePacking({ exports, scripts: _scripts, devDependencies: _devDependencies, ...manifest }) {
      const where = repository === undefined ? {} : { repository };
      return { ...manifest, ...where, exports: withoutSource(exports) };
    },
  },
};
