// Runs programs, straight and through a tunnel, with one origin for both.
import { Activity } from '../support/stillness.ts';
import { openSockets, startTunnel, type TunnelUnderTest } from '../support/tunnel-under-test.ts';
import { uncaughtDuring } from '../support/uncaught.ts';
import { type Finding, judge, type View } from './judge.ts';
import { HOST, type Program } from './program.ts';
import { RawClient } from './raw-client.ts';
import { RawOrigin } from './raw-origin.ts';

export class Scene {
  readonly #activity: Activity;
  readonly #origin: RawOrigin;
  #tunnel: TunnelUnderTest | undefined;
  #programs = 0;
  #sockets = 0;

  static async begin(): Promise<Scene> {
    const activity = new Activity();
    return new Scene(await RawOrigin.listen(activity), activity);
  }

  private constructor(origin: RawOrigin, activity: Activity) {
    this.#origin = origin;
    this.#activity = activity;
  }

  /** What is wrong with the tunnel, by this program. */
  async compare(program: Program): Promise<Finding[]> {
    const straight = await this.straight(program);
    if (straight === undefined) return ['hangs: on a straight connection: the program is at fault'];
    const tunnel = await this.#freshTunnel();
    const findings: Finding[] = [];
    const escaped = await uncaughtDuring(async () => {
      const view = await this.#run(program, tunnel.port, (what) => findings.push(`hangs: ${what}`));
      const isReleased = await this.#activity.until(() => this.#isReleased(tunnel));
      if (!isReleased)
        findings.push(
          `leaves: ${JSON.stringify(tunnel.leftovers())}, ${this.#surplus} sockets, origin ${this.#origin.isIdle ? 'idle' : 'busy'}`,
        );
      if (!findings.some((one) => one.startsWith('hangs'))) findings.push(...judge(program, straight, view));
    });
    if (tunnel.agentHasEnded) findings.push('lives: the agent has ended');
    findings.unshift(...escaped.map((error): Finding => `lives: ${error}`));
    if (findings.length > 0) await this.#drop();
    return findings;
  }

  /** What a straight connection shows; undefined if it hangs. */
  async straight(program: Program): Promise<View | undefined> {
    const hangs: string[] = [];
    const view = await this.#run(program, this.#origin.port, (what) => hangs.push(what));
    this.#origin.cut(); // its clients are gone; what they left is of no interest
    await this.#activity.until(() => this.#origin.openConnections === 0);
    return hangs.length > 0 ? undefined : view;
  }

  async end(): Promise<void> {
    await this.#drop();
    await this.#origin.close();
  }

  async #run(program: Program, port: number, onHang: (what: string) => void): Promise<View> {
    this.#programs += 1;
    // Of one length: a program that is cut at a byte is cut at the same one in both of its runs.
    const name = String(this.#programs).padStart(6, '0');
    this.#origin.begin(name, program.exchanges);
    const client = new RawClient({ port, program, name, activity: this.#activity });
    const run = client.run();
    if (!(await this.#activity.outlasts(run))) {
      onHang(`the client: ${client.describe()}`);
      client.cut();
      await run;
    }
    if (!(await this.#activity.until(() => this.#origin.isIdle)))
      onHang('the origin waits for a request, or for an end');
    return { client: client.view, asked: this.#origin.asked };
  }

  /** A tunnel takes part until it has done something wrong. */
  async #freshTunnel(): Promise<TunnelUnderTest> {
    if (this.#tunnel === undefined) {
      this.#sockets = openSockets() ?? 0;
      this.#tunnel = await startTunnel({ host: HOST, target: this.#origin.port });
      // Its own: what its port and its one session need.
      this.#sockets = openSockets() ?? 0;
    }
    return this.#tunnel;
  }

  #isReleased(tunnel: TunnelUnderTest): boolean {
    const { requests, streams } = tunnel.leftovers();
    return requests === 0 && streams === 0 && this.#origin.isIdle && this.#surplus <= 0;
  }

  /** Sockets beyond the tunnel's own, and both ends of what it keeps to the origin. */
  get #surplus(): number {
    return (openSockets() ?? 0) - this.#sockets - 2 * this.#origin.openConnections;
  }

  async #drop(): Promise<void> {
    const tunnel = this.#tunnel;
    this.#tunnel = undefined;
    this.#origin.cut();
    if (tunnel === undefined) return;
    // What was done wrong may come out only when it closes.
    await uncaughtDuring(() => tunnel.close());
    this.#origin.cut();
  }
}
