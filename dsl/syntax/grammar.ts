/**
 * The grammar: text in its concrete form, one rule for each production, with the production above it. This file
 * (declarations) and grammar-expressions.ts (the rest) are the reference of the syntax; only the builders of
 * `build-ast.ts` read the trees they make.
 *
 * Expressions. Binary operators of one level of the grammar's tower are parsed flat, as operands and operators in a
 * row, in two tiers: `condition` (`or`, `and`, `not`, comparisons) over `sum` (`+ - * / % @ **` and unary minus).
 * `precedence.ts` gives the row its shape. A tower of a rule for each level says the same and costs twelve calls for
 * every operand, deep enough to exhaust the stack at 64 brackets.
 *
 * Same-line rule. Newlines mean nothing, except that `(`, `[` and `.` continue an expression only on the line where it
 * ends: `let r = f(x) ⏎ (r, x)` is a statement and a result, not a call.
 *
 * Chevrotain recovers: a rule that fails skips to a token that can follow it. It knows nothing of brackets in doing
 * so; `recovery-units.ts` sees to it that it never skips out of a declaration.
 */
import { EOF, type CstNode, type IRecognitionException, type IToken } from 'chevrotain';
import { ExpressionGrammar, type GrammarRule } from './grammar-expressions.ts';
import { ErrorBudgetSpent } from './parse-errors.ts';
import * as t from './tokens.ts';

export class MoeParser extends ExpressionGrammar {
  /** `validate`: looks for ambiguities in the grammar itself. Takes a tenth of a second, and one test of a grammar is enough. */
  constructor(options: { readonly validate: boolean } = { validate: false }) {
    super(options);
    this.performSelfAnalysis();
  }

  // ------------------------------------------------------------------------------------------------------------ file

  /** file = { import | model | decl } */
  readonly file: GrammarRule = this.RULE('file', () => {
    this.MANY(() => {
      this.OR({
        DEF: [
          { ALT: () => this.SUBRULE(this.importDecl) },
          { ALT: () => this.SUBRULE(this.model) },
          { ALT: () => this.SUBRULE(this.decl) },
        ],
      });
    });
    this.CONSUME(EOF);
  });

  /** import = "import" "{" NAME { "," NAME } [","] "}" "from" STRING */
  readonly importDecl: GrammarRule = this.RULE('importDecl', () => {
    this.CONSUME(t.ImportKeyword);
    this.CONSUME(t.LCurly);
    this.names(1, t.Name);
    this.CONSUME(t.RCurly);
    this.CONSUME(t.FromKeyword);
    this.CONSUME(t.StringToken);
  });

  /** model = "model" NAME "{" { decl | entry } "}" */
  readonly model: GrammarRule = this.RULE('model', () => {
    this.CONSUME(t.ModelKeyword);
    this.CONSUME(t.Name);
    this.CONSUME(t.LCurly);
    this.MANY(() => {
      this.OR([{ ALT: () => this.SUBRULE(this.decl) }, { ALT: () => this.SUBRULE(this.entry) }]);
    });
    this.CONSUME(t.RCurly);
  });

  /** entry = NAME signature body */
  readonly entry: GrammarRule = this.RULE('entry', () => {
    this.CONSUME(t.Name);
    this.SUBRULE(this.signature);
    this.SUBRULE(this.body);
  });

  // ---------------------------------------------------------------------------------------------------- declarations

  /** decl = bindings | variable | callable | extern */
  readonly decl: GrammarRule = this.RULE('decl', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.bindings) },
      { ALT: () => this.SUBRULE(this.variable) },
      { ALT: () => this.SUBRULE(this.callable) },
      { ALT: () => this.SUBRULE(this.extern) },
    ]);
  });

  /** bindings = ("axis" | "const") binding { "," binding } */
  readonly bindings: GrammarRule = this.RULE('bindings', () => {
    this.OR([{ ALT: () => this.CONSUME(t.AxisKeyword) }, { ALT: () => this.CONSUME(t.ConstKeyword) }]);
    this.SUBRULE(this.binding);
    this.MANY(() => {
      this.CONSUME(t.Comma);
      this.SUBRULE2(this.binding);
    });
  });

  /** binding = NAME [ "=" condition ] ;   an axis may have points: (a, b) */
  readonly binding: GrammarRule = this.RULE('binding', () => {
    this.CONSUME(t.Name);
    this.OPTION(() => {
      this.CONSUME(t.Equal);
      this.SUBRULE(this.condition);
    });
  });

  /** variable = ("param" | "state" | "input") slot { "," slot } */
  readonly variable: GrammarRule = this.RULE('variable', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.ParamKeyword) },
      { ALT: () => this.CONSUME(t.StateKeyword) },
      { ALT: () => this.CONSUME(t.InputKeyword) },
    ]);
    this.SUBRULE(this.slot);
    this.MANY(() => {
      this.CONSUME(t.Comma);
      this.SUBRULE2(this.slot);
    });
  });

  /** slot = NAME ":" type [ "=" expr ] { "frozen" | "from" source } */
  readonly slot: GrammarRule = this.RULE('slot', () => {
    this.CONSUME(t.Name);
    this.CONSUME(t.Colon);
    this.SUBRULE(this.type);
    this.OPTION(() => {
      this.CONSUME(t.Equal);
      this.SUBRULE(this.expr);
    });
    this.MANY(() => {
      this.OR([
        { ALT: () => this.CONSUME(t.FrozenKeyword) },
        {
          ALT: () => {
            this.CONSUME(t.FromKeyword);
            this.SUBRULE(this.source);
          },
        },
      ]);
    });
  });

  /** source = ( STRING | NAME "(" STRING { "," STRING } [","] ")" ) [ "as" "[" [ dim { "," dim } [","] ] "]" ] */
  readonly source: GrammarRule = this.RULE('source', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.StringToken) },
      {
        ALT: () => {
          this.CONSUME(t.Name);
          this.CONSUME(t.LParen);
          this.names(1, t.StringToken);
          this.CONSUME(t.RParen);
        },
      },
    ]);
    this.OPTION2(() => {
      this.CONSUME(t.AsKeyword);
      this.CONSUME(t.LSquare);
      this.OPTION3(() => {
        this.list(2, this.dim);
      });
      this.CONSUME(t.RSquare);
    });
  });

  /** dim = part | "(" part { "," part } [","] ")" */
  readonly dim: GrammarRule = this.RULE('dim', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.part) },
      {
        ALT: () => {
          this.CONSUME(t.LParen);
          this.list(1, this.part);
          this.CONSUME(t.RParen);
        },
      },
    ]);
  });

  /** part = NAME | INT [ ".." INT ] [ "of" INT ] */
  readonly part: GrammarRule = this.RULE('part', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Name) },
      {
        ALT: () => {
          this.CONSUME(t.NumberToken, { LABEL: 'from' });
          this.OPTION(() => {
            this.CONSUME(t.DotDot);
            this.CONSUME2(t.NumberToken, { LABEL: 'to' });
          });
          this.OPTION2(() => {
            this.CONSUME(t.OfKeyword);
            this.CONSUME3(t.NumberToken, { LABEL: 'of' });
          });
        },
      },
    ]);
  });

  /**
   * callable = ("expert" | "experts" | "router" | "fn") NAME [ generics ] [ family ] ( signature body | "=" ( instance | union ) )
   */
  readonly callable: GrammarRule = this.RULE('callable', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.ExpertKeyword) },
      { ALT: () => this.CONSUME(t.ExpertsKeyword) },
      { ALT: () => this.CONSUME(t.RouterKeyword) },
      { ALT: () => this.CONSUME(t.FnKeyword) },
    ]);
    this.CONSUME(t.Name);
    this.OPTION(() => this.SUBRULE(this.generics));
    this.OPTION2(() => this.SUBRULE(this.family));
    this.OR2([
      {
        ALT: () => {
          this.SUBRULE(this.signature);
          this.SUBRULE(this.body);
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.Equal);
          this.OR3([{ ALT: () => this.SUBRULE(this.instance) }, { ALT: () => this.SUBRULE(this.union) }]);
        },
      },
    ]);
  });

  /** generics = "<" [ generic { "," generic } [","] ] ">" */
  readonly generics: GrammarRule = this.RULE('generics', () => {
    this.CONSUME(t.Less);
    this.OPTION(() => {
      this.list(1, this.generic);
    });
    this.CONSUME(t.Greater);
  });

  /** generic = NAME [ "=" sum ] */
  readonly generic: GrammarRule = this.RULE('generic', () => {
    this.CONSUME(t.Name);
    this.OPTION(() => {
      this.CONSUME(t.Equal);
      this.SUBRULE(this.sum);
    });
  });

  /** family = "[" [ point { "," point } [","] ] "]" ;   point = NAME [ "in" NAME ] */
  readonly family: GrammarRule = this.RULE('family', () => {
    this.CONSUME(t.LSquare);
    this.OPTION(() => {
      this.list(1, this.point);
    });
    this.CONSUME(t.RSquare);
  });

  /** point = NAME [ "in" NAME ] */
  readonly point: GrammarRule = this.RULE('point', () => {
    this.CONSUME(t.Name);
    this.OPTION(() => {
      this.CONSUME(t.InKeyword);
      this.CONSUME2(t.Name, { LABEL: 'axis' });
    });
  });

  /**
   * instance = NAME ( gargs [ origin ] | origin ) ;   gargs = "<" [ garg { "," garg } [","] ] ">"
   * A bare NAME is read by `union`: which of the two it is depends on what the name means.
   */
  readonly instance: GrammarRule = this.RULE('instance', () => {
    this.CONSUME(t.Name);
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Less);
          this.OPTION(() => {
            this.list(1, this.garg);
          });
          this.CONSUME(t.Greater);
          this.OPTION3(() => this.SUBRULE(this.origin));
        },
      },
      { ALT: () => this.SUBRULE2(this.origin) },
    ]);
  });

  /** garg = [ NAME ":" ] sum */
  readonly garg: GrammarRule = this.RULE('garg', () => {
    this.OPTION(() => {
      this.CONSUME(t.Name);
      this.CONSUME(t.Colon);
    });
    this.SUBRULE(this.sum);
  });

  /** origin = "from" STRING [ "{" originBinding { "," originBinding } [","] "}" ] [ "frozen" ] */
  readonly origin: GrammarRule = this.RULE('origin', () => {
    this.CONSUME(t.FromKeyword);
    this.CONSUME(t.StringToken);
    this.OPTION(() => {
      this.CONSUME(t.LCurly);
      this.list(1, this.originBinding);
      this.CONSUME(t.RCurly);
    });
    this.OPTION3(() => this.CONSUME(t.FrozenKeyword));
  });

  /** originBinding = NAME { "." NAME } ":" source [ "frozen" ] */
  readonly originBinding: GrammarRule = this.RULE('originBinding', () => {
    this.CONSUME(t.Name);
    this.MANY(() => {
      this.CONSUME(t.Point);
      this.CONSUME2(t.Name);
    });
    this.CONSUME(t.Colon);
    this.SUBRULE(this.source);
    this.OPTION(() => this.CONSUME(t.FrozenKeyword));
  });

  /** union = member { "|" member } */
  readonly union: GrammarRule = this.RULE('union', () => {
    this.SUBRULE(this.member);
    this.MANY(() => {
      this.CONSUME(t.Bar);
      this.SUBRULE2(this.member);
    });
  });

  /** member = NAME [ subscript ] */
  readonly member: GrammarRule = this.RULE('member', () => {
    this.CONSUME(t.Name);
    this.OPTION({ GATE: () => this.sameLine(), DEF: () => this.SUBRULE(this.subscript) });
  });

  /** extern = "extern" ("expert" | "fn") NAME [ family ] signature */
  readonly extern: GrammarRule = this.RULE('extern', () => {
    this.CONSUME(t.ExternKeyword);
    this.OR([{ ALT: () => this.CONSUME(t.ExpertKeyword) }, { ALT: () => this.CONSUME(t.FnKeyword) }]);
    this.CONSUME(t.Name);
    this.OPTION(() => this.SUBRULE(this.family));
    this.SUBRULE(this.signature);
  });
}

export interface ParsedTokens {
  /** Absent: there were more errors than asked for. */
  readonly cst?: CstNode;
  readonly errors: readonly IRecognitionException[];
}

/** Parses tokens by a rule, collecting up to `budget` errors. A parser holds the state of one parse only. */
export function parseTokens(
  parser: MoeParser,
  rule: () => CstNode,
  tokens: readonly IToken[],
  budget: number,
): ParsedTokens {
  parser.input = [...tokens];
  parser.messages.budget = budget;
  try {
    const cst = rule();
    return { cst, errors: parser.errors };
  } catch (error) {
    if (error instanceof ErrorBudgetSpent) return { errors: parser.errors };
    throw error;
  }
}
