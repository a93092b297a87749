/** As much of the package `events` as the types of JsSIP lean on; it brings none of its own. */
declare module "events" {
  export class EventEmitter {
    on(event: string, listener: (...args: never[]) => void): this;
    removeAllListeners(event?: string): this;
  }
}
