// What the build for browsers has for the modules and globals of Node: see @zishuo/yamux/browser.
export { Buffer, process, setImmediate } from '@zishuo/yamux/browser';
