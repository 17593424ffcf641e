/**
 * The grammar: text in its concrete form, one rule for each production, with the production above it. This file is the reference of the
 * syntax; `build-ast.ts` is the only one that reads the trees it makes.
 *
 * Expressions. Binary operators of one level of the grammar's tower are parsed flat, as operands and operators in a row, in two tiers:
 * `condition` (`or`, `and`, `not`, comparisons) over `sum` (`+ - * / % @ **` and unary minus). `precedence.ts` gives the row its shape.
 * A tower of a rule for each level says the same and costs twelve calls for every operand, deep enough to exhaust the stack at 64 brackets.
 *
 * Same-line rule. Newlines mean nothing, except that `(`, `[` and `.` continue an expression only on the line where it ends:
 * `let r = f(x) ⏎ (r, x)` is a statement and a result, not a call.
 *
 * Chevrotain recovers: a rule that fails skips to a token that can follow it. It knows nothing of brackets in doing so; `pieces.ts` sees to
 * it that it never skips out of a declaration.
 */
import { CstParser, EOF, type CstNode, type IRecognitionException, type IToken, type ParserMethod } from 'chevrotain';
import { ErrorBudgetSpent, ErrorMessages } from './parse-errors.ts';
import * as t from './tokens.ts';

type Rule = ParserMethod<[], CstNode>;

export class MoeParser extends CstParser {
  readonly messages: ErrorMessages;

  constructor() {
    const messages = new ErrorMessages();
    super([...t.allTokens], {
      recoveryEnabled: true,
      maxLookahead: 3,
      nodeLocationTracking: 'onlyOffset',
      errorMessageProvider: messages,
    });
    this.messages = messages;
    this.performSelfAnalysis();
  }

  /** Does the next token stand on the line where the last one ended? */
  private sameLine(): boolean {
    return this.LA(0).endLine === this.LA(1).startLine;
  }

  // ------------------------------------------------------------------------------------------------------------ file

  /** file = { import | model | decl } */
  readonly file: Rule = this.RULE('file', () => {
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
  readonly importDecl: Rule = this.RULE('importDecl', () => {
    this.CONSUME(t.ImportKeyword);
    this.CONSUME(t.LCurly);
    this.CONSUME(t.Name);
    this.MANY(() => {
      this.CONSUME(t.Comma);
      this.CONSUME2(t.Name);
    });
    this.OPTION(() => this.CONSUME2(t.Comma));
    this.CONSUME(t.RCurly);
    this.CONSUME(t.FromKeyword);
    this.CONSUME(t.StringToken);
  });

  /** model = "model" NAME "{" { decl | entry } "}" */
  readonly model: Rule = this.RULE('model', () => {
    this.CONSUME(t.ModelKeyword);
    this.CONSUME(t.Name);
    this.CONSUME(t.LCurly);
    this.MANY(() => {
      this.OR([{ ALT: () => this.SUBRULE(this.decl) }, { ALT: () => this.SUBRULE(this.entry) }]);
    });
    this.CONSUME(t.RCurly);
  });

  /** entry = NAME signature body */
  readonly entry: Rule = this.RULE('entry', () => {
    this.CONSUME(t.Name);
    this.SUBRULE(this.signature);
    this.SUBRULE(this.body);
  });

  // ---------------------------------------------------------------------------------------------------- declarations

  /** decl = bindings | store | callable | extern */
  readonly decl: Rule = this.RULE('decl', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.bindings) },
      { ALT: () => this.SUBRULE(this.store) },
      { ALT: () => this.SUBRULE(this.callable) },
      { ALT: () => this.SUBRULE(this.extern) },
    ]);
  });

  /** bindings = ("axis" | "const") binding { "," binding } */
  readonly bindings: Rule = this.RULE('bindings', () => {
    this.OR([{ ALT: () => this.CONSUME(t.AxisKeyword) }, { ALT: () => this.CONSUME(t.ConstKeyword) }]);
    this.SUBRULE(this.binding);
    this.MANY(() => {
      this.CONSUME(t.Comma);
      this.SUBRULE2(this.binding);
    });
  });

  /** binding = NAME [ "=" condition ] ;   an axis may have points: (a, b) */
  readonly binding: Rule = this.RULE('binding', () => {
    this.CONSUME(t.Name);
    this.OPTION(() => {
      this.CONSUME(t.Equal);
      this.SUBRULE(this.condition);
    });
  });

  /** store = ("param" | "state" | "input") slot { "," slot } */
  readonly store: Rule = this.RULE('store', () => {
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
  readonly slot: Rule = this.RULE('slot', () => {
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
  readonly source: Rule = this.RULE('source', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.StringToken) },
      {
        ALT: () => {
          this.CONSUME(t.Name);
          this.CONSUME(t.LParen);
          this.CONSUME2(t.StringToken);
          this.MANY(() => {
            this.CONSUME(t.Comma);
            this.CONSUME3(t.StringToken);
          });
          this.OPTION(() => this.CONSUME2(t.Comma));
          this.CONSUME(t.RParen);
        },
      },
    ]);
    this.OPTION2(() => {
      this.CONSUME(t.AsKeyword);
      this.CONSUME(t.LSquare);
      this.OPTION3(() => {
        this.SUBRULE(this.dim);
        this.MANY2(() => {
          this.CONSUME3(t.Comma);
          this.SUBRULE2(this.dim);
        });
        this.OPTION4(() => this.CONSUME4(t.Comma));
      });
      this.CONSUME(t.RSquare);
    });
  });

  /** dim = part | "(" part { "," part } [","] ")" */
  readonly dim: Rule = this.RULE('dim', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.part) },
      {
        ALT: () => {
          this.CONSUME(t.LParen);
          this.SUBRULE2(this.part);
          this.MANY(() => {
            this.CONSUME(t.Comma);
            this.SUBRULE3(this.part);
          });
          this.OPTION(() => this.CONSUME2(t.Comma));
          this.CONSUME(t.RParen);
        },
      },
    ]);
  });

  /** part = NAME | INT [ ".." INT ] [ "of" INT ] */
  readonly part: Rule = this.RULE('part', () => {
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

  /** callable = ("expert" | "experts" | "router" | "fn") NAME [ generics ] [ family ] ( signature body | "=" ( instance | union ) ) */
  readonly callable: Rule = this.RULE('callable', () => {
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
  readonly generics: Rule = this.RULE('generics', () => {
    this.CONSUME(t.Less);
    this.OPTION(() => {
      this.SUBRULE(this.generic);
      this.MANY(() => {
        this.CONSUME(t.Comma);
        this.SUBRULE2(this.generic);
      });
      this.OPTION2(() => this.CONSUME2(t.Comma));
    });
    this.CONSUME(t.Greater);
  });

  /** generic = NAME [ "=" sum ] */
  readonly generic: Rule = this.RULE('generic', () => {
    this.CONSUME(t.Name);
    this.OPTION(() => {
      this.CONSUME(t.Equal);
      this.SUBRULE(this.sum);
    });
  });

  /** family = "[" [ point { "," point } [","] ] "]" ;   point = NAME [ "in" NAME ] */
  readonly family: Rule = this.RULE('family', () => {
    this.CONSUME(t.LSquare);
    this.OPTION(() => {
      this.SUBRULE(this.point);
      this.MANY(() => {
        this.CONSUME(t.Comma);
        this.SUBRULE2(this.point);
      });
      this.OPTION2(() => this.CONSUME2(t.Comma));
    });
    this.CONSUME(t.RSquare);
  });

  /** point = NAME [ "in" NAME ] */
  readonly point: Rule = this.RULE('point', () => {
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
  readonly instance: Rule = this.RULE('instance', () => {
    this.CONSUME(t.Name);
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Less);
          this.OPTION(() => {
            this.SUBRULE(this.garg);
            this.MANY(() => {
              this.CONSUME(t.Comma);
              this.SUBRULE2(this.garg);
            });
            this.OPTION2(() => this.CONSUME2(t.Comma));
          });
          this.CONSUME(t.Greater);
          this.OPTION3(() => this.SUBRULE(this.origin));
        },
      },
      { ALT: () => this.SUBRULE2(this.origin) },
    ]);
  });

  /** garg = [ NAME ":" ] sum */
  readonly garg: Rule = this.RULE('garg', () => {
    this.OPTION(() => {
      this.CONSUME(t.Name);
      this.CONSUME(t.Colon);
    });
    this.SUBRULE(this.sum);
  });

  /** origin = "from" STRING [ "{" originBinding { "," originBinding } [","] "}" ] [ "frozen" ] */
  readonly origin: Rule = this.RULE('origin', () => {
    this.CONSUME(t.FromKeyword);
    this.CONSUME(t.StringToken);
    this.OPTION(() => {
      this.CONSUME(t.LCurly);
      this.SUBRULE(this.originBinding);
      this.MANY(() => {
        this.CONSUME(t.Comma);
        this.SUBRULE2(this.originBinding);
      });
      this.OPTION2(() => this.CONSUME2(t.Comma));
      this.CONSUME(t.RCurly);
    });
    this.OPTION3(() => this.CONSUME(t.FrozenKeyword));
  });

  /** originBinding = NAME { "." NAME } ":" source [ "frozen" ] */
  readonly originBinding: Rule = this.RULE('originBinding', () => {
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
  readonly union: Rule = this.RULE('union', () => {
    this.SUBRULE(this.member);
    this.MANY(() => {
      this.CONSUME(t.Bar);
      this.SUBRULE2(this.member);
    });
  });

  /** member = NAME [ subscript ] */
  readonly member: Rule = this.RULE('member', () => {
    this.CONSUME(t.Name);
    this.OPTION({ GATE: () => this.sameLine(), DEF: () => this.SUBRULE(this.subscript) });
  });

  /** extern = "extern" ("expert" | "fn") NAME [ family ] signature */
  readonly extern: Rule = this.RULE('extern', () => {
    this.CONSUME(t.ExternKeyword);
    this.OR([{ ALT: () => this.CONSUME(t.ExpertKeyword) }, { ALT: () => this.CONSUME(t.FnKeyword) }]);
    this.CONSUME(t.Name);
    this.OPTION(() => this.SUBRULE(this.family));
    this.SUBRULE(this.signature);
  });

  // ------------------------------------------------------------------------------------------- signatures and types

  /** signature = "(" [ formal { "," formal } [","] ] ")" "->" ( type | "(" rtype { "," rtype } [","] ")" ) */
  readonly signature: Rule = this.RULE('signature', () => {
    this.CONSUME(t.LParen);
    this.OPTION(() => {
      this.SUBRULE(this.formal);
      this.MANY(() => {
        this.CONSUME(t.Comma);
        this.SUBRULE2(this.formal);
      });
      this.OPTION2(() => this.CONSUME2(t.Comma));
    });
    this.CONSUME(t.RParen);
    this.CONSUME(t.Arrow);
    this.OR([
      { ALT: () => this.SUBRULE(this.type) },
      {
        ALT: () => {
          this.CONSUME2(t.LParen);
          this.SUBRULE(this.resultType);
          this.MANY2(() => {
            this.CONSUME3(t.Comma);
            this.SUBRULE2(this.resultType);
          });
          this.OPTION3(() => this.CONSUME4(t.Comma));
          this.CONSUME2(t.RParen);
        },
      },
    ]);
  });

  /** formal = NAME ":" type */
  readonly formal: Rule = this.RULE('formal', () => {
    this.CONSUME(t.Name);
    this.CONSUME(t.Colon);
    this.SUBRULE(this.type);
  });

  /** rtype = [ NAME ":" ] type */
  readonly resultType: Rule = this.RULE('resultType', () => {
    this.OPTION(() => {
      this.CONSUME(t.Name);
      this.CONSUME(t.Colon);
    });
    this.SUBRULE(this.type);
  });

  /** type = ( axes | NAME [ axes ] ) [ "in" NAME | "of" axes ] */
  readonly type: Rule = this.RULE('type', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.axes) },
      {
        ALT: () => {
          this.CONSUME(t.Name);
          this.OPTION({ GATE: () => this.sameLine(), DEF: () => this.SUBRULE2(this.axes) });
        },
      },
    ]);
    this.OPTION2(() => {
      this.OR2([
        {
          ALT: () => {
            this.CONSUME(t.InKeyword);
            this.CONSUME2(t.Name, { LABEL: 'within' });
          },
        },
        {
          ALT: () => {
            this.CONSUME(t.OfKeyword);
            this.SUBRULE3(this.axes, { LABEL: 'payload' });
          },
        },
      ]);
    });
  });

  /** axes = "[" [ NAME { "," NAME } [","] ] [ "->" NAME { "," NAME } [","] ] "]" */
  readonly axes: Rule = this.RULE('axes', () => {
    this.CONSUME(t.LSquare);
    this.OPTION(() => {
      this.CONSUME(t.Name, { LABEL: 'before' });
      this.MANY(() => {
        this.CONSUME(t.Comma);
        this.CONSUME2(t.Name, { LABEL: 'before' });
      });
      this.OPTION2(() => this.CONSUME2(t.Comma));
    });
    this.OPTION3(() => {
      this.CONSUME(t.Arrow);
      this.CONSUME3(t.Name, { LABEL: 'after' });
      this.MANY2(() => {
        this.CONSUME3(t.Comma);
        this.CONSUME4(t.Name, { LABEL: 'after' });
      });
      this.OPTION4(() => this.CONSUME4(t.Comma));
    });
    this.CONSUME(t.RSquare);
  });

  // ---------------------------------------------------------------------------------------------------------- bodies

  /** body = "{" { stmt } expr "}" ;   values elsewhere, and none at the end, are reported when the tree is built */
  readonly body: Rule = this.RULE('body', () => {
    this.CONSUME(t.LCurly);
    this.MANY(() => {
      this.OR([
        { ALT: () => this.SUBRULE(this.stmt, { LABEL: 'items' }) },
        { ALT: () => this.SUBRULE(this.expr, { LABEL: 'items' }) },
      ]);
    });
    this.CONSUME(t.RCurly);
  });

  /** stmt = let | assign | decl */
  readonly stmt: Rule = this.RULE('stmt', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.letStmt) },
      { ALT: () => this.SUBRULE(this.assign) },
      { ALT: () => this.SUBRULE(this.decl) },
    ]);
  });

  /** let = "let" pattern [ ":" type ] "=" expr */
  readonly letStmt: Rule = this.RULE('letStmt', () => {
    this.CONSUME(t.LetKeyword);
    this.SUBRULE(this.pattern);
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.SUBRULE(this.type);
    });
    this.CONSUME(t.Equal);
    this.SUBRULE(this.expr);
  });

  /** assign = ("update" | "loss" | "output") NAME "=" expr */
  readonly assign: Rule = this.RULE('assign', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.UpdateKeyword) },
      { ALT: () => this.CONSUME(t.LossKeyword) },
      { ALT: () => this.CONSUME(t.OutputKeyword) },
    ]);
    this.CONSUME(t.Name);
    this.CONSUME(t.Equal);
    this.SUBRULE(this.expr);
  });

  /** pattern = NAME | "(" NAME { "," NAME } [","] ")" */
  readonly pattern: Rule = this.RULE('pattern', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Name) },
      {
        ALT: () => {
          this.CONSUME(t.LParen);
          this.CONSUME2(t.Name);
          this.MANY(() => {
            this.CONSUME(t.Comma);
            this.CONSUME3(t.Name);
          });
          this.OPTION(() => this.CONSUME2(t.Comma));
          this.CONSUME(t.RParen);
        },
      },
    ]);
  });

  // ----------------------------------------------------------------------------------------------------- expressions

  /** expr = condition { "|>" pipeTarget } */
  readonly expr: Rule = this.RULE('expr', () => {
    this.SUBRULE(this.condition);
    this.MANY(() => {
      this.CONSUME(t.PipeRight);
      this.SUBRULE(this.pipeTarget);
    });
  });

  /** pipeTarget = NAME [ subscript ] [ args ] ;   an operator after it is reported when the tree is built */
  readonly pipeTarget: Rule = this.RULE('pipeTarget', () => {
    this.CONSUME(t.Name);
    this.OPTION({ GATE: () => this.sameLine(), DEF: () => this.SUBRULE(this.subscript) });
    this.OPTION2({ GATE: () => this.sameLine(), DEF: () => this.SUBRULE(this.args) });
    this.OPTION3(() => {
      this.OR([
        { ALT: () => this.CONSUME(t.ConditionOperator) },
        { ALT: () => this.CONSUME(t.SumOperator) },
        { ALT: () => this.CONSUME(t.Point) },
      ]);
      this.SUBRULE(this.condition, { LABEL: 'stray' });
    });
  });

  /**
   * condition = { "not" } sum { conditionOperator { "not" } sum }          (or, and, not, cmp of the tower)
   * conditionOperator = "or" | "and" | "==" | "!=" | "<" | "<=" | ">" | ">="
   */
  readonly condition: Rule = this.RULE('condition', () => {
    this.MANY(() => this.CONSUME(t.NotKeyword, { LABEL: 'row' }));
    this.SUBRULE(this.sum, { LABEL: 'row' });
    this.MANY2(() => {
      this.CONSUME(t.ConditionOperator, { LABEL: 'row' });
      this.MANY3(() => this.CONSUME2(t.NotKeyword, { LABEL: 'row' }));
      this.SUBRULE2(this.sum, { LABEL: 'row' });
    });
  });

  /**
   * sum = { "-" } postfix { sumOperator { "-" } postfix }                  (sum, prod, dot, unary, power of the tower)
   * sumOperator = "+" | "-" | "*" | "/" | "%" | "@" | "**"
   */
  readonly sum: Rule = this.RULE('sum', () => {
    this.MANY(() => this.CONSUME(t.Minus, { LABEL: 'row' }));
    this.SUBRULE(this.postfix, { LABEL: 'row' });
    this.MANY2(() => {
      this.CONSUME(t.SumOperator, { LABEL: 'row' });
      this.MANY3(() => this.CONSUME2(t.Minus, { LABEL: 'row' }));
      this.SUBRULE2(this.postfix, { LABEL: 'row' });
    });
  });

  /** postfix = primary { args | subscript | path } ;   each on the line where what it follows ends */
  readonly postfix: Rule = this.RULE('postfix', () => {
    this.SUBRULE(this.primary);
    this.MANY({
      GATE: () => this.sameLine(),
      DEF: () => {
        this.OR([
          { ALT: () => this.SUBRULE(this.args, { LABEL: 'suffix' }) },
          { ALT: () => this.SUBRULE(this.subscript, { LABEL: 'suffix' }) },
          { ALT: () => this.SUBRULE(this.path, { LABEL: 'suffix' }) },
        ]);
      },
    });
  });

  /** path = "." NAME */
  readonly path: Rule = this.RULE('path', () => {
    this.CONSUME(t.Point);
    this.CONSUME(t.Name);
  });

  /** primary = NUMBER | STRING | "true" | "false" | NAME | group | chain | cond */
  readonly primary: Rule = this.RULE('primary', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.NumberToken) },
      { ALT: () => this.CONSUME(t.StringToken) },
      { ALT: () => this.CONSUME(t.TrueKeyword) },
      { ALT: () => this.CONSUME(t.FalseKeyword) },
      { ALT: () => this.CONSUME(t.Name) },
      { ALT: () => this.SUBRULE(this.group) },
      { ALT: () => this.SUBRULE(this.chain) },
      { ALT: () => this.SUBRULE(this.cond) },
    ]);
  });

  /** group = "(" arg { "," arg } [","] ")" ;   grouping, a tuple, or a record */
  readonly group: Rule = this.RULE('group', () => {
    this.CONSUME(t.LParen);
    this.SUBRULE(this.arg);
    this.MANY(() => {
      this.CONSUME(t.Comma);
      this.SUBRULE2(this.arg);
    });
    this.OPTION(() => this.CONSUME2(t.Comma));
    this.CONSUME(t.RParen);
  });

  /** args = "(" [ arg { "," arg } [","] ] ")" */
  readonly args: Rule = this.RULE('args', () => {
    this.CONSUME(t.LParen);
    this.OPTION(() => {
      this.SUBRULE(this.arg);
      this.MANY(() => {
        this.CONSUME(t.Comma);
        this.SUBRULE2(this.arg);
      });
      this.OPTION2(() => this.CONSUME2(t.Comma));
    });
    this.CONSUME(t.RParen);
  });

  /** arg = expr [ ":" expr ] ;   what stands left of the colon is checked when the tree is built */
  readonly arg: Rule = this.RULE('arg', () => {
    this.SUBRULE(this.expr);
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.SUBRULE2(this.expr, { LABEL: 'value' });
    });
  });

  /** subscript = "[" [ index { "," index } [","] ] "]" */
  readonly subscript: Rule = this.RULE('subscript', () => {
    this.CONSUME(t.LSquare);
    this.OPTION(() => {
      this.SUBRULE(this.index);
      this.MANY(() => {
        this.CONSUME(t.Comma);
        this.SUBRULE2(this.index);
      });
      this.OPTION2(() => this.CONSUME2(t.Comma));
    });
    this.CONSUME(t.RSquare);
  });

  /** index = sum [ ":" sum ] [ ".." sum "as" NAME ] */
  readonly index: Rule = this.RULE('index', () => {
    this.SUBRULE(this.sum);
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.SUBRULE2(this.sum, { LABEL: 'value' });
    });
    this.OPTION2(() => {
      this.CONSUME(t.DotDot);
      this.SUBRULE3(this.sum, { LABEL: 'to' });
      this.OPTION3(() => {
        this.CONSUME(t.AsKeyword);
        this.CONSUME(t.Name);
      });
    });
  });

  /** chain = "chain" NAME "in" NAME "carrying" ( carry | "(" carry { "," carry } [","] ")" ) [ "collecting" pattern ] body */
  readonly chain: Rule = this.RULE('chain', () => {
    this.CONSUME(t.ChainKeyword);
    this.CONSUME(t.Name);
    this.CONSUME(t.InKeyword);
    this.CONSUME2(t.Name, { LABEL: 'axis' });
    this.CONSUME(t.CarryingKeyword);
    this.OR([
      { ALT: () => this.SUBRULE(this.carry) },
      {
        ALT: () => {
          this.CONSUME(t.LParen);
          this.SUBRULE2(this.carry);
          this.MANY(() => {
            this.CONSUME(t.Comma);
            this.SUBRULE3(this.carry);
          });
          this.OPTION(() => this.CONSUME2(t.Comma));
          this.CONSUME(t.RParen);
        },
      },
    ]);
    this.OPTION2(() => {
      this.CONSUME(t.CollectingKeyword);
      this.SUBRULE(this.pattern);
    });
    this.SUBRULE(this.body);
  });

  /** carry = NAME [ ":" type ] [ "=" expr ] */
  readonly carry: Rule = this.RULE('carry', () => {
    this.CONSUME(t.Name);
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.SUBRULE(this.type);
    });
    this.OPTION2(() => {
      this.CONSUME(t.Equal);
      this.SUBRULE(this.expr);
    });
  });

  /** cond = "if" condition body { "else" "if" condition body } "else" body */
  readonly cond: Rule = this.RULE('cond', () => {
    this.CONSUME(t.IfKeyword);
    this.SUBRULE(this.condition);
    this.SUBRULE(this.body);
    this.MANY(() => {
      this.CONSUME(t.ElseKeyword);
      this.CONSUME2(t.IfKeyword);
      this.SUBRULE2(this.condition);
      this.SUBRULE2(this.body);
    });
    this.CONSUME2(t.ElseKeyword);
    this.SUBRULE3(this.body, { LABEL: 'otherwise' });
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
