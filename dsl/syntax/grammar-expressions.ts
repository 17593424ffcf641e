/**
 * The grammar, second half: signatures, types, bodies and expressions. `grammar.ts` has the first and the rules of
 * reading; this half knows of it only that there are declarations.
 */
import { CstParser, type CstNode, type IToken, type ParserMethod, type TokenType } from 'chevrotain';
import { ErrorMessages } from './parse-errors.ts';
import * as t from './tokens.ts';

export type GrammarRule = ParserMethod<[], CstNode>;

export abstract class ExpressionGrammar extends CstParser {
  /** A declaration may stand in any body. */
  abstract readonly decl: GrammarRule;
  readonly messages: ErrorMessages;

  constructor({ validate }: { readonly validate: boolean }) {
    const messages = new ErrorMessages();
    super([...t.allTokens], {
      skipValidations: !validate,
      recoveryEnabled: true,
      maxLookahead: 3,
      nodeLocationTracking: 'onlyOffset',
      errorMessageProvider: messages,
    });
    this.messages = messages;
  }

  /** Does the next token stand on the line where the last one ended? */
  protected sameLine(): boolean {
    return this.LA(0).endLine === this.LA(1).startLine;
  }

  /** item { "," item } [","] ;   `k` tells the lists of one rule apart */
  protected list(k: number, item: GrammarRule): void {
    const index = 10 * k;
    this.subrule(index, item);
    this.many(index, () => {
      this.consume(index, t.Comma);
      this.subrule(index + 1, item);
    });
    this.option(index, () => this.consume(index + 1, t.Comma));
  }

  /** The same of tokens, under a label. */
  protected names(k: number, type: TokenType, options: { readonly LABEL?: string } = {}): void {
    const index = 10 * k;
    this.consume(index, type, options);
    this.many(index, () => {
      this.consume(index, t.Comma);
      this.consume(index + 1, type, options);
    });
    this.option(index, (): IToken => this.consume(index + 1, t.Comma));
  }

  // ------------------------------------------------------------------------------------------- signatures and types

  /** signature = "(" [ formal { "," formal } [","] ] ")" "->" ( type | "(" rtype { "," rtype } [","] ")" ) */
  readonly signature: GrammarRule = this.RULE('signature', () => {
    this.CONSUME(t.LParen);
    this.OPTION(() => {
      this.list(1, this.formal);
    });
    this.CONSUME(t.RParen);
    this.CONSUME(t.Arrow);
    this.OR([
      { ALT: () => this.SUBRULE(this.type) },
      {
        ALT: () => {
          this.CONSUME2(t.LParen);
          this.list(2, this.resultType);
          this.CONSUME2(t.RParen);
        },
      },
    ]);
  });

  /** formal = NAME ":" type */
  readonly formal: GrammarRule = this.RULE('formal', () => {
    this.CONSUME(t.Name);
    this.CONSUME(t.Colon);
    this.SUBRULE(this.type);
  });

  /** rtype = [ NAME ":" ] type */
  readonly resultType: GrammarRule = this.RULE('resultType', () => {
    this.OPTION(() => {
      this.CONSUME(t.Name);
      this.CONSUME(t.Colon);
    });
    this.SUBRULE(this.type);
  });

  /** type = ( axes | NAME [ axes ] ) [ "in" NAME | "of" axes ] */
  readonly type: GrammarRule = this.RULE('type', () => {
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
  readonly axes: GrammarRule = this.RULE('axes', () => {
    this.CONSUME(t.LSquare);
    this.OPTION(() => {
      this.names(1, t.Name, { LABEL: 'before' });
    });
    this.OPTION3(() => {
      this.CONSUME(t.Arrow);
      this.names(2, t.Name, { LABEL: 'after' });
    });
    this.CONSUME(t.RSquare);
  });

  // ---------------------------------------------------------------------------------------------------------- bodies

  /** body = "{" { stmt } expr "}" ;   values elsewhere, and none at the end, are reported when the tree is built */
  readonly body: GrammarRule = this.RULE('body', () => {
    this.CONSUME(t.LCurly);
    this.MANY(() => {
      this.OR([
        { ALT: () => this.SUBRULE(this.stmt, { LABEL: 'items' }) },
        { ALT: () => this.SUBRULE(this.expr, { LABEL: 'items' }) },
      ]);
    });
    this.CONSUME(t.RCurly);
  });

  /** stmt = let | assign | require | decl */
  readonly stmt: GrammarRule = this.RULE('stmt', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.letStmt) },
      { ALT: () => this.SUBRULE(this.assign) },
      { ALT: () => this.SUBRULE(this.requireStmt) },
      { ALT: () => this.SUBRULE(this.decl) },
    ]);
  });

  /** let = "let" pattern [ ":" type ] "=" expr */
  readonly letStmt: GrammarRule = this.RULE('letStmt', () => {
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
  readonly assign: GrammarRule = this.RULE('assign', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.UpdateKeyword) },
      { ALT: () => this.CONSUME(t.LossKeyword) },
      { ALT: () => this.CONSUME(t.OutputKeyword) },
    ]);
    this.CONSUME(t.Name);
    this.CONSUME(t.Equal);
    this.SUBRULE(this.expr);
  });

  /** require = "require" expr [ "else" STRING ] */
  readonly requireStmt: GrammarRule = this.RULE('requireStmt', () => {
    this.CONSUME(t.RequireKeyword);
    this.SUBRULE(this.expr);
    this.OPTION(() => {
      this.CONSUME(t.ElseKeyword);
      this.CONSUME(t.StringToken);
    });
  });

  /** pattern = NAME | "(" NAME { "," NAME } [","] ")" */
  readonly pattern: GrammarRule = this.RULE('pattern', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Name) },
      {
        ALT: () => {
          this.CONSUME(t.LParen);
          this.names(1, t.Name);
          this.CONSUME(t.RParen);
        },
      },
    ]);
  });

  // ----------------------------------------------------------------------------------------------------- expressions

  /** expr = condition { "|>" pipeTarget } */
  readonly expr: GrammarRule = this.RULE('expr', () => {
    this.SUBRULE(this.condition);
    this.MANY(() => {
      this.CONSUME(t.PipeRight);
      this.SUBRULE(this.pipeTarget);
    });
  });

  /** pipeTarget = NAME [ subscript ] [ args ] ;   an operator after it is reported when the tree is built */
  readonly pipeTarget: GrammarRule = this.RULE('pipeTarget', () => {
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
  readonly condition: GrammarRule = this.RULE('condition', () => {
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
  readonly sum: GrammarRule = this.RULE('sum', () => {
    this.MANY(() => this.CONSUME(t.Minus, { LABEL: 'row' }));
    this.SUBRULE(this.postfix, { LABEL: 'row' });
    this.MANY2(() => {
      this.CONSUME(t.SumOperator, { LABEL: 'row' });
      this.MANY3(() => this.CONSUME2(t.Minus, { LABEL: 'row' }));
      this.SUBRULE2(this.postfix, { LABEL: 'row' });
    });
  });

  /** postfix = primary { args | subscript | path } ;   each on the line where what it follows ends */
  readonly postfix: GrammarRule = this.RULE('postfix', () => {
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
  readonly path: GrammarRule = this.RULE('path', () => {
    this.CONSUME(t.Point);
    this.CONSUME(t.Name);
  });

  /** primary = NUMBER | STRING | "true" | "false" | NAME | group | chain | cond */
  readonly primary: GrammarRule = this.RULE('primary', () => {
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
  readonly group: GrammarRule = this.RULE('group', () => {
    this.CONSUME(t.LParen);
    this.list(1, this.arg);
    this.CONSUME(t.RParen);
  });

  /** args = "(" [ arg { "," arg } [","] ] ")" */
  readonly args: GrammarRule = this.RULE('args', () => {
    this.CONSUME(t.LParen);
    this.OPTION(() => {
      this.list(1, this.arg);
    });
    this.CONSUME(t.RParen);
  });

  /** arg = expr [ ":" expr ] ;   what stands left of the colon is checked when the tree is built */
  readonly arg: GrammarRule = this.RULE('arg', () => {
    this.SUBRULE(this.expr);
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.SUBRULE2(this.expr, { LABEL: 'value' });
    });
  });

  /** subscript = "[" [ index { "," index } [","] ] "]" */
  readonly subscript: GrammarRule = this.RULE('subscript', () => {
    this.CONSUME(t.LSquare);
    this.OPTION(() => {
      this.list(1, this.index);
    });
    this.CONSUME(t.RSquare);
  });

  /** index = sum [ ":" sum ] [ ".." sum "as" NAME ] */
  readonly index: GrammarRule = this.RULE('index', () => {
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

  /**
   * chain = "chain" NAME "in" NAME "carrying" ( carry | "(" carry { "," carry } [","] ")" ) [ "collecting" pattern ] body
   */
  readonly chain: GrammarRule = this.RULE('chain', () => {
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
          this.list(1, this.carry);
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
  readonly carry: GrammarRule = this.RULE('carry', () => {
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
  readonly cond: GrammarRule = this.RULE('cond', () => {
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
