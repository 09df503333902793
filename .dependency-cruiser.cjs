// The layers of ARCHITECTURE.md as rules: who may import whom. A type-only import is an import too, except where a rule says otherwise.
const YAMUX = '^packages/yamux/src/';
/** What the tests of one package lend to those of another; `source-never-imports-tests` keeps it there. */
const SHARED_BY_TESTS = '^packages/yamux/test/(support|interop)/';
const WEBSOCKET = '^packages/yamux-websocket/src/';
const YAMUX_JS = '^packages/yamux-js/src/';
const BALANCER = '^packages/balancer/src/';
const FLEET = '^packages/fleet/src/';
/** What a package shows to the others. */
const PACKAGE_ROOTS = '^packages/[^/]+/src/(index|http|browser|prometheus|redis|testing)[.]ts$';
const TUNNEL = '^packages/tunnel/src/';
const WS = '(^|/)node_modules/(@types/)?ws/|^ws$';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'Imports go one way.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-circular-layers',
      comment:
        'Two files of one folder may know each other by type, as a noun and its port do; two layers may not even that.',
      severity: 'error',
      from: { path: '^(.+)/[^/]+$' },
      to: { circular: true, via: { pathNot: '^$1/[^/]+$' } },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'source-never-imports-tests',
      severity: 'error',
      from: { path: '^((packages|examples)/[^/]+|bench)/src/' },
      to: { path: '^((packages|examples)/[^/]+|bench)/test/|(^|/)node_modules/(vitest|fast-check)/' },
    },
    {
      name: 'no-undeclared-dependency',
      comment: 'What the package.json of the importing package does not name is not there for who installs it.',
      severity: 'error',
      from: { path: '^((packages|examples)/[^/]+|bench)/src/' },
      to: {
        dependencyTypes: ['npm-no-pkg', 'npm-unknown'],
        // dependency-cruiser calls an optional peer 'npm-no-pkg' besides what it is.
        dependencyTypesNot: ['npm', 'npm-dev', 'npm-peer', 'npm-optional'],
      },
    },
    {
      name: 'only-runtime-dependencies',
      comment:
        'Published code runs without devDependencies. ws is a devDependency and an optional peer, see ws-only-in-drivers.',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/' },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['type-only', 'npm', 'npm-peer', 'npm-optional'],
      },
    },
    {
      name: 'packages-meet-at-their-roots',
      comment: "Another package is reached by its name and only through what its 'exports' offer.",
      severity: 'error',
      from: { path: '^(packages|examples)/([^/]+)/' },
      to: { path: '^(packages|examples)/[^/]+/', pathNot: ['^$1/$2/', PACKAGE_ROOTS, SHARED_BY_TESTS] },
    },
    {
      name: 'packages-meet-by-name',
      comment:
        "A relative path into another package is another copy of it for who installs them, and goes past its 'exports'.",
      severity: 'error',
      from: { path: '^(packages|examples)/([^/]+)/' },
      to: { path: '^(packages|examples)/[^/]+/', pathNot: ['^$1/$2/', SHARED_BY_TESTS], dependencyTypes: ['local'] },
    },
    {
      name: 'bench-is-a-user',
      comment: 'It measures what users get: the packages by their names, and nothing imports it.',
      severity: 'error',
      // Of a pick alone nothing can be seen from outside, nor of a choice or of what is remembered.
      from: { path: '^bench/', pathNot: '^bench/src/(balancer/our-picks|fleet/(choice|cache|simulation/node))[.]ts$' },
      to: { path: '^(packages|examples)/', pathNot: PACKAGE_ROOTS },
    },
    {
      name: 'nothing-imports-bench',
      severity: 'error',
      from: { pathNot: '^bench/' },
      to: { path: '^bench/' },
    },
    {
      name: 'compat-is-a-user',
      comment: 'What libraries do with a stream is seen as users see it, and nothing imports it.',
      severity: 'error',
      from: { path: '^compat/' },
      to: { path: '^(packages|examples|bench)/', pathNot: PACKAGE_ROOTS },
    },
    {
      name: 'nothing-imports-compat',
      severity: 'error',
      from: { pathNot: '^compat/' },
      to: { path: '^compat/' },
    },
    {
      name: 'balancer-knows-no-package',
      comment: 'It pools any session by a structural interface of its own, and depends on nothing but Node.',
      severity: 'error',
      from: { path: BALANCER, pathNot: `${BALANCER}prometheus[.]ts$` },
      to: { pathNot: BALANCER, dependencyTypesNot: ['core'] },
    },
    {
      name: 'balancer-subpaths-are-leaves',
      comment:
        'prom-client is an optional peer of one subpath, and fakes are for tests: the pool itself knows neither.',
      severity: 'error',
      from: { path: BALANCER, pathNot: `${BALANCER}(testing[.]ts$|testing/)` },
      to: { path: `${BALANCER}(prometheus[.]ts$|testing[.]ts$|testing/)` },
    },
    {
      name: 'balancer-observing-is-the-first-layer',
      comment: 'What is told: it knows the values that it tells, and nothing of the pool that tells them.',
      severity: 'error',
      from: { path: `${BALANCER}observe/` },
      to: { path: `${BALANCER}(health|choosing|member|open)/|${BALANCER}(pool|options)[.]ts$` },
    },
    {
      name: 'balancer-health-and-choosing-know-no-member',
      comment: 'What they read of a member is an interface of their own; and neither knows the other.',
      severity: 'error',
      from: { path: `${BALANCER}(health|choosing)/` },
      to: {
        path: `${BALANCER}(health|choosing|member|open)/|${BALANCER}(pool|options)[.]ts$`,
        pathNot: `${BALANCER}$1/`,
      },
    },
    {
      name: 'balancer-member-knows-no-open',
      severity: 'error',
      from: { path: `${BALANCER}member/` },
      to: { path: `${BALANCER}open/|${BALANCER}(pool|options)[.]ts$` },
    },
    {
      name: 'balancer-open-knows-no-pool',
      severity: 'error',
      from: { path: `${BALANCER}open/` },
      to: { path: `${BALANCER}(pool|options)[.]ts$` },
    },
    {
      name: 'fleet-knows-yamux-and-the-balancer',
      comment: 'No word of HTTP, and no carrier but TCP.',
      severity: 'error',
      from: { path: FLEET, pathNot: `${FLEET}(redis/|prometheus[.]ts$)` },
      to: {
        path: '.',
        pathNot: [
          FLEET,
          '^packages/(yamux|balancer)/src/(index|testing)[.]ts$',
          '^(node:)?(net|tls|stream|events|crypto|diagnostics_channel)$',
        ],
      },
    },
    {
      name: 'fleet-names-nodes-and-choosing-have-no-sockets',
      comment:
        'What is known and what is chosen is pure, or asks a directory; how a node is reached is not known there.',
      severity: 'error',
      from: { path: `${FLEET}(directory|names|nodes|choosing)/` },
      to: {
        path: [
          `${FLEET}(peer|open|testing)/`,
          `${FLEET}(fleet|options|stats|watched-pool)[.]ts$`,
          '^(node:)?(net|tls|stream)$',
        ],
      },
    },
    {
      name: 'fleet-sockets-are-of-one-file',
      severity: 'error',
      from: { path: FLEET, pathNot: `${FLEET}peer/tcp-network[.]ts$` },
      to: { path: '^(node:)?(net|tls)$' },
    },
    {
      name: 'fleet-peers-know-no-open',
      comment: 'What a peer asks for goes to the own pool: the way to other nodes is not even known there.',
      severity: 'error',
      from: { path: `${FLEET}peer/` },
      to: {
        path: [`${FLEET}open/`, `${FLEET}(fleet|options|stats|watched-pool)[.]ts$`, `${FLEET}names/lookups[.]ts$`],
      },
    },
    {
      name: 'fleet-redis-is-one-directory-of-several',
      comment: 'It knows what a directory is, and its client: nothing of the fleet that uses it.',
      severity: 'error',
      from: { path: `${FLEET}redis/` },
      to: {
        path: '.',
        pathNot: [
          `${FLEET}redis/`,
          `${FLEET}(checks|errors)[.]ts$`,
          `${FLEET}directory/(directory|directory-state)[.]ts$`,
          '^(node:)?crypto$',
          '(^|/)node_modules/@redis/client/',
        ],
      },
    },
    {
      name: 'fleet-optional-peers-are-of-subpaths',
      comment: '@redis/client and prom-client: nothing else of the fleet knows them.',
      severity: 'error',
      from: { path: FLEET, pathNot: `${FLEET}(redis[.]ts$|redis/)` },
      to: { path: `${FLEET}(prometheus[.]ts$|redis[.]ts$|redis/)` },
    },
    {
      name: 'fleet-testing-is-a-leaf',
      severity: 'error',
      from: { path: FLEET, pathNot: `${FLEET}(testing[.]ts$|testing/)` },
      to: { path: `${FLEET}(testing[.]ts$|testing/)` },
    },
    {
      name: 'websocket-knows-only-yamux',
      severity: 'error',
      from: { path: WEBSOCKET },
      to: { pathNot: [WEBSOCKET, '^packages/yamux/src/(index|browser)[.]ts$', WS], dependencyTypesNot: ['core'] },
    },
    {
      name: 'browser-stands-for-node-alone',
      comment:
        'The build for browsers puts it in the place of Node: it knows no Node, and the sources know nothing of it.',
      severity: 'error',
      from: { path: `${YAMUX}browser([.]ts$|/)` },
      to: { pathNot: `${YAMUX}browser/` },
    },
    {
      name: 'nothing-knows-of-browsers',
      severity: 'error',
      from: { path: [YAMUX, WEBSOCKET], pathNot: '/src/browser([.]ts$|/)' },
      to: { path: '/src/browser([.]ts$|/)' },
    },
    {
      name: 'yamux-js-knows-only-yamux',
      comment: 'It gives sessions another face, and carries no bytes of its own.',
      severity: 'error',
      from: { path: YAMUX_JS },
      to: { pathNot: [YAMUX_JS, '^packages/yamux/src/index[.]ts$', '^(node:)?stream$'] },
    },
    {
      name: 'ws-only-in-drivers',
      comment:
        'ws is an optional peer: everything but dial and upgrade tells sockets by their shape. Its types cost nothing at run time.',
      severity: 'error',
      from: { path: WEBSOCKET, pathNot: `${WEBSOCKET}(dial|upgrade)[.]ts$` },
      to: { path: WS, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'yamux-needs-little-of-node',
      severity: 'error',
      from: { path: YAMUX, pathNot: `${YAMUX}http/` },
      to: {
        pathNot: [YAMUX, '^(node:)?(stream|events|diagnostics_channel|util|async_hooks)$'],
      },
    },
    {
      name: 'yamux-http-knows-streams-and-node-http',
      comment:
        'Sessions are told by their shape there, so that pools and other carriers fit. Of node:net it has types alone.',
      severity: 'error',
      from: { path: `${YAMUX}http/` },
      to: {
        pathNot: [
          `${YAMUX}http/`,
          `${YAMUX}duplex/socket-shape[.]ts$`,
          `${YAMUX}(clock|errors)[.]ts$`,
          '^(node:)?(stream|https?|net)$',
        ],
      },
    },
    {
      name: 'yamux-http-is-a-leaf',
      comment: 'node:http is loaded only by who asks for it.',
      severity: 'error',
      from: { path: YAMUX, pathNot: `${YAMUX}http([.]ts$|/)` },
      to: { path: [`${YAMUX}http([.]ts$|/)`, '^(node:)?https?$'] },
    },
    {
      name: 'wire-is-the-first-layer',
      comment: 'Bytes and frames: no stream, no session, no Node.',
      severity: 'error',
      from: { path: `${YAMUX}wire/` },
      to: { pathNot: [`${YAMUX}wire/`, `${YAMUX}errors[.]ts$`] },
    },
    {
      name: 'stream-is-the-second-layer',
      comment: 'What one stream knows: no node:stream, no Duplex, no session. It meets these by stream-port.ts alone.',
      severity: 'error',
      from: { path: `${YAMUX}stream/` },
      to: { pathNot: [`${YAMUX}(stream|wire)/`, `${YAMUX}(errors|clock|idle-timer)[.]ts$`] },
    },
    {
      name: 'duplex-is-the-third-layer',
      comment: 'The face of a wire stream. What the session does for a stream goes through the wire stream.',
      severity: 'error',
      from: { path: `${YAMUX}duplex/` },
      to: { path: `${YAMUX}(session/|(index|http|trace)[.]ts$)` },
    },
    {
      name: 'layers-know-no-subpath',
      comment: 'http.ts is a user of sessions and streams.',
      severity: 'error',
      from: { path: `${YAMUX}(wire|stream|duplex|session)/` },
      to: { path: `${YAMUX}http[.]ts$` },
    },
    {
      name: 'session-is-a-face',
      comment:
        'Methods, events and promises for the application; the parts of a session know the engine at most by a port.',
      severity: 'error',
      from: { path: YAMUX, pathNot: `${YAMUX}index[.]ts$` },
      to: { path: `${YAMUX}session/session[.]ts$` },
    },
    {
      name: 'engine-is-known-by-its-face-alone',
      severity: 'error',
      from: { path: YAMUX, pathNot: `${YAMUX}session/session[.]ts$` },
      to: { path: `${YAMUX}session/engine[.]ts$` },
    },
    {
      name: 'nothing-imports-the-index',
      comment: 'index.ts is the public surface; inside the package it would be a circle.',
      severity: 'error',
      from: { path: '^packages/([^/]+)/src/' },
      to: { path: '^packages/$1/src/index[.]ts$' },
    },
    {
      name: 'tunnel-exchange-is-the-first-layer',
      comment: 'What goes over a stream: bytes and blocks, no HTTP client, no server, no session.',
      severity: 'error',
      from: { path: `${TUNNEL}exchange/` },
      to: { pathNot: [`${TUNNEL}exchange/`, `${TUNNEL}errors[.]ts$`], dependencyTypesNot: ['core'] },
    },
    {
      name: 'tunnel-http-knows-no-side',
      comment: 'How HTTP is carried over one connection is the same for gateway and agent.',
      severity: 'error',
      from: { path: `${TUNNEL}http/` },
      to: { path: `${TUNNEL}(gateway|agent|admin|demo)[/.]` },
    },
    {
      name: 'tunnel-sides-meet-over-the-network',
      severity: 'error',
      from: { path: `${TUNNEL}(gateway|agent)/` },
      to: { path: `${TUNNEL}(gateway|agent|admin|demo)[/.]`, pathNot: `${TUNNEL}$1/` },
    },
    {
      name: 'tunnel-admin-looks-from-outside',
      comment: 'The gateway does not know that it is watched; its program puts the two together.',
      severity: 'error',
      from: { path: TUNNEL, pathNot: `${TUNNEL}((gateway|index)[.]ts$|admin/)` },
      to: { path: `${TUNNEL}admin/` },
    },
    {
      name: 'tunnel-admin-knows-the-gateway-alone',
      severity: 'error',
      from: { path: `${TUNNEL}admin/` },
      to: { path: `${TUNNEL}(agent|demo)[/.]` },
    },
    {
      name: 'dashboard-is-served-as-it-lies-there',
      comment: 'A browser loads these files by their names: they import each other and nothing else.',
      severity: 'error',
      from: { path: `${TUNNEL}admin/page/` },
      to: { pathNot: `${TUNNEL}admin/page/` },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Programs for others than this workspace: what they need is installed by who runs them.
    exclude: {
      path: '^((packages|examples)/[^/]+|bench)/(dist|coverage)/|^tools/published/(needs-yamux-js|in-(workerd|browser))/',
    },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@zishuo/source', 'import', 'types', 'node', 'default'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
};
