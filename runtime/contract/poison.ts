/** A NaN that no launch makes: what watched memory holds until somebody writes it, in every executor. */
export const POISON = 0x7fc0dead;
