/**
 * How node runs what works for a minute and then ends, which is most of what a test does: compiling, checking, printing, once for each
 * program. V8 makes a function fast after little use; here that is thousands of functions, many of them more than once because the next
 * program is of another kind, and on two cores it takes what the tests could have. With nine times the use before it, and without
 * threads of the garbage collector, compiling every example takes 17 s of CPU time in the place of 31.
 */
export const briefly = ['--max-semi-space-size=64', '--interrupt-budget=600000', '--single-threaded-gc'];
