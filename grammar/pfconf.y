/*
 * The grammar of OpenBSD 7.8's pf.conf(5).
 *
 * Actions only build: each calls one function of parser/ast.c, which makes
 * the node and hands it to the listener.  MAKE() and TELL() then look whether
 * the listener refused it; if so the parser recovers at the end of the line,
 * as pfctl's parser does.
 *
 * pfctl checks while it reads, so where a message is said depends on how far
 * its parser has read.  Two things keep us in step with it: a reduction that
 * does not depend on the next token happens before that is read, and any
 * other only when the next token allows it (lr.default-reduction consistent).
 * So a rule may not be folded into its neighbours without thought.
 *
 * Where a statement is wrong inside the braces of an anchor, the anchor is
 * given up with it: only the top level has a rule for errors.
 */
%require "3.8"
%define api.pure full
%define api.prefix {pfconf_}
%define api.token.prefix {TOK_}
%define api.location.type {struct place}
%define parse.error custom
%define lr.default-reduction consistent
%locations
%expect 0
%parse-param { struct parser *p }
%lex-param { struct parser *p }

%code requires {
#include "parser/parser_int.h"
}

%union {
	const char	*str;
	int64_t		 num;
	struct ast	*node;
}

%code {
#include <string.h>

#define MAKE(lhs, call) do {						\
	(lhs) = (call);							\
	TELL(p->verdict);						\
} while (0)
#define TELL(result) do {						\
	enum ast_result r_ = (result);					\
	if (r_ == AST_ABORT)						\
		YYABORT;						\
	if (r_ == AST_REFUSED)						\
		YYERROR;						\
} while (0)
#define YYLLOC_DEFAULT(cur, rhs, n)					\
	((cur) = place_default(&YYRHSLOC(rhs, 0), (unsigned)(n)))
#define YYMALLOC(n)		parser_stack_alloc(p, (n))
#define YYFREE(ptr)		((void)(ptr))

static int pfconf_lex(PFCONF_STYPE *, PFCONF_LTYPE *, struct parser *);
static void pfconf_error(const PFCONF_LTYPE *, struct parser *, const char *);
}

%token	AF_TO ALL ALLOW_OPTS ANCHOR ANTISPOOF ANY BANDWIDTH BINAT_TO BITMASK
%token	BLOCK BLOCK_POLICY BURST CODE DEBUG DEFAULT DELAY DIVERT_PACKET
%token	DIVERT_REPLY DIVERT_TO DROP DUP_TO FILENAME FINGERPRINTS FLAGS FLOATING
%token	FLOWS FLUSH FOR FRAGMENT FROM GLOBAL GROUP HOSTID ICMP_TYPE ICMP6_TYPE
%token	IF_BOUND IN INCLUDE INET INET6 KEEP LABEL LEAST_STATES LIMIT LOAD LOG
%token	LOGINTERFACE MATCH MATCHES MAX MAX_MSS MAX_PKT_RATE MAX_SRC_CONN
%token	MAX_SRC_CONN_RATE MAX_SRC_NODES MAX_SRC_STATES MIN MIN_TTL MODULATE
%token	NAT_TO NO NO_DF NO_ROUTE NO_SYNC ON ONCE OPTIMIZATION OS OUT OVERLOAD
%token	PARENT PASS PFLOW PORT PRIO PROBABILITY PROTO QLIMIT QUANTUM QUEUE
%token	QUICK RANDOM RANDOM_ID RDOMAIN RDR_TO REASSEMBLE RECEIVED_ON REPLY_TO
%token	RETURN RETURN_ICMP RETURN_ICMP6 RETURN_RST ROUND_ROBIN ROUTE ROUTE_TO
%token	RTABLE RULE RULESET_OPTIMIZATION SCRUB SET SKIP SLOPPY SOURCE_HASH
%token	SOURCE_TRACK STATE STATE_DEFAULTS STATE_POLICY STATIC_PORT
%token	STICKY_ADDRESS SYNCOOKIES SYNPROXY TABLE TAG TAGGED TIMEOUT TO TOS TTL
%token	URPF_FAILED USER WEIGHT
%token	NE LE GE
%token	BAD		/* a token that is wrong everywhere */
%token	NEVER		/* never comes */
%token	<str>		STRING
%token	<num>		NUMBER
%token	<num>		PORT_BINARY

%type	<str>		string_or_all words
%type	<num>		no_df af dir unary_op source_track lock flush not
%type	<num>		opt_weight
%type	<node>		set load table queue anchor antispoof rule
%type	<node>		value values word_list yes_no number
%type	<node>		timeout timeouts limit limits
%type	<node>		syncookie_mode syncookie_opts syncookie_list
%type	<node>		syncookie_opt
%type	<node>		table_opts table_opt table_hosts table_host
%type	<node>		queue_opts queue_opt curve bandwidth
%type	<node>		anchor_name anchor_body
%type	<node>		spoof_ifs spoof_if_list spoof_if spoof_opts spoof_opt
%type	<node>		action block_spec return_icmp return_icmp6
%type	<node>		quick log_quick log log_opts log_opt
%type	<node>		interfaces if_list if_item if_item_not
%type	<node>		protos proto_list proto
%type	<node>		from_to from to peer os os_list os_item
%type	<node>		hosts host_list xhost host dynamic
%type	<node>		ports port_list port port_plain port_range port_star
%type	<node>		filter_opts filter_list filter_opt set_list set_opt
%type	<node>		users user_list user uid groups group_list group gid
%type	<node>		flag icmp_list icmp_item icmp_type
%type	<node>		icmp6_list icmp6_item icmp6_type
%type	<node>		tos probability prio keep queue_name
%type	<node>		state_opts state_list state_opt
%type	<node>		scrub_list scrub_opt
%type	<node>		pool pool_target pool_hosts pool_addr route_pool
%type	<node>		pool_opts pool_list pool_opt

%%

ruleset:
  %empty
| ruleset '\n'				{ parser_statement_end(p); }
| ruleset statement '\n'		{ parser_statement_done(p); }
| '{' NEVER				/* pfctl gives up here */
| ruleset error '\n'	{ yyerrok; TELL(parser_recovered(p, &@2)); }
;

statement:
  include | macro
| set { } | rule { } | anchor { } | load { } | queue { } | antispoof { }
| table { }
;

include:
  INCLUDE STRING		{ TELL(parser_include(p, &@$, &@2, $2)); }
;

macro:
  STRING '=' values		{ TELL(macro_define(p, &@$, &@1, $1, $3)); }
;

load:
  LOAD ANCHOR anchor_name FROM words
	{ MAKE($$, ast_kid_str(p, &@$, AST_LOAD_ANCHOR, $3, $5)); }
;

/* --- words, numbers, commas -------------------------------------------- */

value:
  STRING	{ $$ = ast_word(p, &@$, $1); }
| NUMBER	{ $$ = ast_number(p, &@$, $1); }
;

values:
  value		{ $$ = ast_list(p, &@$, $1); }
| values value	{ $$ = ast_append($1, $2); }
;

words:
  word_list	{ $$ = ast_joined(p, $1); }
;
word_list:
  STRING		{ $$ = ast_list(p, &@$, ast_word(p, &@$, $1)); }
| word_list STRING	{ $$ = ast_append($1, ast_word(p, &@2, $2)); }
;

number:
  value		{ MAKE($$, ast_kid(p, &@$, AST_NUMBER, $1)); }
;

yes_no:
  NO		{ MAKE($$, ast_str(p, &@$, AST_YESNO, "no")); }
| STRING	{ MAKE($$, ast_str(p, &@$, AST_YESNO, $1)); }
;

comma:	%empty | ',' ;
nl:	%empty | nl '\n' ;
not:	%empty { $$ = 0; } | '!' { $$ = 1; } ;

/* --- set --------------------------------------------------------------- */

set:
  SET REASSEMBLE yes_no no_df
	{ MAKE($$, ast_kid_num(p, &@$, AST_SET_REASSEMBLE, $3, $4)); }
| SET OPTIMIZATION STRING
	{ MAKE($$, ast_str(p, &@$, AST_SET_OPTIMIZATION, $3)); }
| SET RULESET_OPTIMIZATION words
	{ MAKE($$, ast_str(p, &@$, AST_SET_RULESET_OPT, $3)); }
| SET TIMEOUT timeout
	{ MAKE($$, ast_of(p, &@$, AST_SET_TIMEOUT, ast_list(p, &@3, $3))); }
| SET TIMEOUT '{' nl timeouts '}'
	{ MAKE($$, ast_of(p, &@$, AST_SET_TIMEOUT, $5)); }
| SET LIMIT limit
	{ MAKE($$, ast_of(p, &@$, AST_SET_LIMIT, ast_list(p, &@3, $3))); }
| SET LIMIT '{' nl limits '}'
	{ MAKE($$, ast_of(p, &@$, AST_SET_LIMIT, $5)); }
| SET LOGINTERFACE string_or_all
	{ MAKE($$, ast_str(p, &@$, AST_SET_LOGINTERFACE, $3)); }
| SET HOSTID number
	{ MAKE($$, ast_kid(p, &@$, AST_SET_HOSTID, $3)); }
| SET BLOCK_POLICY DROP
	{ MAKE($$, ast_num(p, &@$, AST_SET_BLOCK_POLICY, AST_BLOCK_DROP)); }
| SET BLOCK_POLICY RETURN
	{ MAKE($$, ast_num(p, &@$, AST_SET_BLOCK_POLICY, AST_BLOCK_RETURN)); }
| SET FINGERPRINTS STRING
	{ MAKE($$, ast_str(p, &@$, AST_SET_FINGERPRINTS, $3)); }
| SET STATE_POLICY lock
	{ MAKE($$, ast_num(p, &@$, AST_SET_STATE_POLICY, $3)); }
| SET DEBUG STRING
	{ MAKE($$, ast_str(p, &@$, AST_SET_DEBUG, $3)); }
| SET DEBUG DEBUG
	{ MAKE($$, ast_str(p, &@$, AST_SET_DEBUG, "debug")); }
| SET SKIP interfaces
	{ MAKE($$, ast_kid(p, &@$, AST_SET_SKIP, $3)); }
| SET STATE_DEFAULTS state_list
	{ MAKE($$, ast_of(p, &@$, AST_SET_STATE_DEFAULTS, $3)); }
| SET SYNCOOKIES syncookie_mode syncookie_opts
	{ MAKE($$, ast_kids(p, &@$, AST_SET_SYNCOOKIES, $3, $4, NULL)); }
;

no_df:	%empty { $$ = 0; } | NO_DF { $$ = 1; } ;
lock:	IF_BOUND { $$ = 1; } | FLOATING { $$ = 0; } ;

string_or_all:	STRING | ALL { $$ = "all"; } ;

timeouts:
  timeout nl			{ $$ = ast_list(p, &@$, $1); }
| timeouts comma timeout nl	{ $$ = ast_append($1, $3); }
;
timeout:
  STRING NUMBER	{ MAKE($$, ast_str_num(p, &@$, AST_TIMEOUT, $1, $2)); }
;

limits:
  limit nl			{ $$ = ast_list(p, &@$, $1); }
| limits comma limit nl		{ $$ = ast_append($1, $3); }
;
limit:
  STRING NUMBER	{ MAKE($$, ast_str_num(p, &@$, AST_LIMIT, $1, $2)); }
;

syncookie_mode:
  STRING	{ MAKE($$, ast_str(p, &@$, AST_SYNCOOKIE_MODE, $1)); }
;
syncookie_opts:
  %empty			{ $$ = NULL; }
| '(' syncookie_list ')'	{ $$ = $2; }
;
syncookie_list:
  syncookie_opt				{ $$ = ast_list(p, &@$, $1); }
| syncookie_list comma syncookie_opt	{ $$ = ast_append($1, $3); }
;
syncookie_opt:
  STRING STRING
	{ MAKE($$, ast_str2(p, &@$, AST_SYNCOOKIE_OPT, $1, $2)); }
;

/* --- tables ------------------------------------------------------------ */

table:
  TABLE '<' STRING '>' table_opts
	{ MAKE($$, ast_kid_str(p, &@$, AST_TABLE, $5, $3)); }
;
table_opts:
  %empty			{ $$ = ast_list(p, &@$, NULL); }
| table_opts table_opt		{ $$ = ast_append($1, $2); }
;
table_opt:
  STRING	{ MAKE($$, ast_str(p, &@$, AST_TABLE_FLAG, $1)); }
| '{' nl '}'	{ MAKE($$, ast_num(p, &@$, AST_TABLE_ADDRS, 0)); }
| '{' nl table_hosts '}'
	{ MAKE($$, ast_of_num(p, &@$, AST_TABLE_ADDRS, $3, 1)); }
| FILENAME STRING
	{ MAKE($$, ast_str(p, &@$, AST_TABLE_FILE, $2)); }
;
table_hosts:
  table_host nl				{ $$ = $1; }
| table_hosts comma table_host nl	{ $$ = ast_splice($1, $3); }
;
table_host:
  xhost opt_weight		{ $$ = ast_list(p, &@$, $1); }
| '{' nl table_hosts '}'	{ $$ = $3; }
;

opt_weight:
  %empty	{ $$ = 0; }
| WEIGHT NUMBER	{ TELL(ast_weight(p, &@$, $2)); $$ = $2; }
;

/* --- queues ------------------------------------------------------------ */

queue:
  QUEUE STRING interfaces queue_opts
	{ MAKE($$, ast_queue(p, &@$, $2, $3, $4)); }
;
queue_opts:
  queue_opt			{ $$ = ast_list(p, &@$, $1); }
| queue_opts queue_opt		{ $$ = ast_append($1, $2); }
;
queue_opt:
  BANDWIDTH curve
	{ MAKE($$, ast_kids(p, &@$, AST_QUEUE_BANDWIDTH, $2, NULL, NULL)); }
| BANDWIDTH curve comma MIN curve
	{ MAKE($$, ast_kids(p, &@$, AST_QUEUE_BANDWIDTH, $2, $5, NULL)); }
| BANDWIDTH curve comma MAX curve
	{ MAKE($$, ast_kids(p, &@$, AST_QUEUE_BANDWIDTH, $2, NULL, $5)); }
| BANDWIDTH curve comma MIN curve comma MAX curve
	{ MAKE($$, ast_kids(p, &@$, AST_QUEUE_BANDWIDTH, $2, $5, $8)); }
| BANDWIDTH curve comma MAX curve comma MIN curve
	{ MAKE($$, ast_kids(p, &@$, AST_QUEUE_BANDWIDTH, $2, $8, $5)); }
| PARENT STRING	{ MAKE($$, ast_str(p, &@$, AST_QUEUE_PARENT, $2)); }
| DEFAULT	{ MAKE($$, ast_num(p, &@$, AST_QUEUE_DEFAULT, 0)); }
| QLIMIT NUMBER	{ MAKE($$, ast_num(p, &@$, AST_QUEUE_QLIMIT, $2)); }
| FLOWS NUMBER	{ MAKE($$, ast_num(p, &@$, AST_QUEUE_FLOWS, $2)); }
| QUANTUM NUMBER { MAKE($$, ast_num(p, &@$, AST_QUEUE_QUANTUM, $2)); }
;
curve:
  bandwidth
	{ MAKE($$, ast_kid(p, &@$, AST_SCSPEC, $1)); }
| bandwidth BURST bandwidth FOR STRING
	{ MAKE($$, ast_burst(p, &@$, $1, $3, $5)); }
;
bandwidth:
  value		{ MAKE($$, ast_kid(p, &@$, AST_BANDWIDTH, $1)); }
;

/* --- anchors, antispoof ------------------------------------------------ */

anchor:
  ANCHOR anchor_name dir quick interfaces af protos from_to filter_opts
  anchor_body
	{ MAKE($$, ast_anchor(p, &@$, &(struct rule_parts){ $2, $4, $5, $7,
	    $8, $9, $3, $6 }, $10)); }
;
anchor_name:
  %empty	{ $$ = NULL; }
| STRING	{ MAKE($$, ast_str(p, &@$, AST_ANCHOR_NAME, $1)); }
;
anchor_body:
  %empty	{ $$ = NULL; }
| '{' { TELL(parser_anchor_open(p, &@1)); } '\n' anchor_lines '}'
	{ MAKE($$, parser_anchor_close(p, &@5)); }
;
anchor_lines:
  %empty				{ parser_body_begin(p); }
| anchor_lines '\n'			{ parser_statement_end(p); }
| anchor_lines anchor_line '\n'		{ parser_statement_done(p); }
;
anchor_line:
  table { } | rule { } | anchor { } | include
;

antispoof:
  ANTISPOOF log_quick spoof_ifs af spoof_opts
	{ MAKE($$, ast_antispoof(p, &@$, $2, $3, $4, $5)); }
;
spoof_ifs:
  FOR spoof_if			{ $$ = ast_list(p, &@2, $2); }
| FOR '{' nl spoof_if_list '}'	{ $$ = $4; }
;
spoof_if_list:
  spoof_if nl				{ $$ = ast_list(p, &@$, $1); }
| spoof_if_list comma spoof_if nl	{ $$ = ast_append($1, $3); }
;
spoof_if:
  if_item
| '(' if_item ')'		{ $$ = ast_in_parens($2, &@$); }
;
spoof_opts:
  %empty			{ $$ = ast_list(p, &@$, NULL); }
| spoof_opts spoof_opt		{ $$ = ast_append($1, $2); }
;
spoof_opt:
  LABEL STRING	{ MAKE($$, ast_str(p, &@$, AST_OPT_LABEL, $2)); }
| RTABLE NUMBER	{ MAKE($$, ast_num(p, &@$, AST_OPT_RTABLE, $2)); }
;

/* --- rules ------------------------------------------------------------- */

rule:
  action dir log_quick interfaces af protos from_to filter_opts
	{ MAKE($$, ast_rule(p, &@$, &(struct rule_parts){ $1, $3, $4, $6,
	    $7, $8, $2, $5 })); }
;
action:
  PASS		{ MAKE($$, ast_num(p, &@$, AST_ACTION, AST_PASS)); }
| MATCH		{ MAKE($$, ast_num(p, &@$, AST_ACTION, AST_MATCH)); }
| BLOCK block_spec
	{ MAKE($$, ast_kid_num(p, &@$, AST_ACTION, $2, AST_BLOCK)); }
;
block_spec:
  %empty
	{ MAKE($$, ast_block(p, &@$, AST_BLOCK_DEFAULT, -1, NULL, NULL)); }
| DROP
	{ MAKE($$, ast_block(p, &@$, AST_BLOCK_DROP, -1, NULL, NULL)); }
| RETURN
	{ MAKE($$, ast_block(p, &@$, AST_BLOCK_RETURN, -1, NULL, NULL)); }
| RETURN_RST
	{ MAKE($$, ast_block(p, &@$, AST_BLOCK_RETURN_RST, -1, NULL, NULL)); }
| RETURN_RST '(' TTL NUMBER ')'
	{ MAKE($$, ast_block(p, &@$, AST_BLOCK_RETURN_RST, $4, NULL, NULL)); }
| RETURN_ICMP
	{ MAKE($$, ast_block(p, &@$, AST_BLOCK_RETURN_ICMP, -1, NULL, NULL)); }
| RETURN_ICMP6
	{ MAKE($$, ast_block(p, &@$, AST_BLOCK_RETURN_ICMP6, -1, NULL,
	    NULL)); }
| RETURN_ICMP '(' return_icmp ')'
	{ MAKE($$, ast_block(p, &@$, AST_BLOCK_RETURN_ICMP, -1, $3, NULL)); }
| RETURN_ICMP6 '(' return_icmp6 ')'
	{ MAKE($$, ast_block(p, &@$, AST_BLOCK_RETURN_ICMP6, -1, NULL, $3)); }
| RETURN_ICMP '(' return_icmp comma return_icmp6 ')'
	{ MAKE($$, ast_block(p, &@$, AST_BLOCK_RETURN_ICMP, -1, $3, $5)); }
;
return_icmp:
  value		{ MAKE($$, ast_kid(p, &@$, AST_RETURN_ICMP, $1)); }
;
return_icmp6:
  value		{ MAKE($$, ast_kid(p, &@$, AST_RETURN_ICMP6, $1)); }
;

dir:	%empty { $$ = AST_INOUT; } | IN { $$ = AST_IN; }
|	OUT { $$ = AST_OUT; } ;
af:	%empty { $$ = PFK_AF_UNSPEC; }
|	INET { $$ = PFK_AF_INET; } | INET6 { $$ = PFK_AF_INET6; } ;

quick:
  %empty	{ MAKE($$, ast_log(p, &@$, NULL, false)); }
| QUICK		{ MAKE($$, ast_log(p, &@$, NULL, true)); }
;
log_quick:
  %empty	{ MAKE($$, ast_log(p, &@$, NULL, false)); }
| log		{ MAKE($$, ast_log(p, &@$, $1, false)); }
| QUICK		{ MAKE($$, ast_log(p, &@$, NULL, true)); }
| log QUICK	{ MAKE($$, ast_log(p, &@$, $1, true)); }
| QUICK log	{ MAKE($$, ast_log(p, &@$, $2, true)); }
;
log:
  LOG			{ $$ = ast_list(p, &@$, NULL); }
| LOG '(' log_opts ')'	{ $$ = $3; }
;
log_opts:
  log_opt			{ $$ = ast_list(p, &@$, $1); }
| log_opts comma log_opt	{ $$ = ast_append($1, $3); }
;
log_opt:
  ALL		{ MAKE($$, ast_num(p, &@$, AST_LOG_OPT, AST_LOG_ALL)); }
| MATCHES	{ MAKE($$, ast_num(p, &@$, AST_LOG_OPT, AST_LOG_MATCHES)); }
| USER		{ MAKE($$, ast_num(p, &@$, AST_LOG_OPT, AST_LOG_USER)); }
| TO words	{ MAKE($$, ast_str(p, &@$, AST_LOG_OPT, $2)); }
;

interfaces:
  %empty			{ $$ = NULL; }
| ON if_item_not		{ $$ = ast_list(p, &@2, $2); }
| ON '{' nl if_list '}'		{ $$ = $4; }
;
if_list:
  if_item_not nl		{ $$ = ast_list(p, &@$, $1); }
| if_list comma if_item_not nl	{ $$ = ast_append($1, $3); }
;
if_item_not:
  not if_item	{ $$ = ast_negate($2, $1, &@$); }
;
if_item:
  STRING	{ MAKE($$, ast_str(p, &@$, AST_INTERFACE, $1)); }
| ANY		{ MAKE($$, ast_str(p, &@$, AST_INTERFACE, "any")); }
| RDOMAIN NUMBER { MAKE($$, ast_num(p, &@$, AST_INTERFACE, $2)); }
;

protos:
  %empty			{ $$ = NULL; }
| PROTO proto			{ $$ = ast_list(p, &@2, $2); }
| PROTO '{' nl proto_list '}'	{ $$ = $4; }
;
proto_list:
  proto nl			{ $$ = ast_list(p, &@$, $1); }
| proto_list comma proto nl	{ $$ = ast_append($1, $3); }
;
proto:
  value		{ MAKE($$, ast_kid(p, &@$, AST_PROTO, $1)); }
;

/* --- from, to ---------------------------------------------------------- */

from_to:
  ALL		{ MAKE($$, ast_num(p, &@$, AST_FROMTO, 1)); }
| from os to	{ MAKE($$, ast_kids(p, &@$, AST_FROMTO, $1, $2, $3)); }
;
from:
  %empty	{ $$ = NULL; }
| FROM peer	{ MAKE($$, ast_peer(p, &@$, $2, 0)); }
;
to:
  %empty	{ $$ = NULL; }
| TO peer	{ MAKE($$, ast_peer(p, &@$, $2, 1)); }
;
peer:
  hosts			{ $$ = ast_peer_parts(p, &@$, $1, NULL); }
| hosts PORT ports	{ $$ = ast_peer_parts(p, &@$, $1, $3); }
| PORT ports		{ $$ = ast_peer_parts(p, &@$, NULL, $2); }
;

os:
  %empty			{ $$ = NULL; }
| OS os_item			{ $$ = ast_list(p, &@2, $2); }
| OS '{' nl os_list '}'		{ $$ = $4; }
;
os_list:
  os_item nl			{ $$ = ast_list(p, &@$, $1); }
| os_list comma os_item nl	{ $$ = ast_append($1, $3); }
;
os_item:
  STRING	{ MAKE($$, ast_str(p, &@$, AST_OS, $1)); }
;

hosts:
  ANY			{ $$ = NULL; }
| xhost			{ $$ = ast_list(p, &@$, $1); }
| '{' nl host_list '}'	{ $$ = $3; }
;
host_list:
  hosts nl			{ $$ = $1; }
| host_list comma hosts nl	{ $$ = ast_hosts($1, $3); }
;
xhost:
  not host
	{ MAKE($$, ast_xhost(p, &@$, $1, $2)); }
| not NO_ROUTE
	{ MAKE($$, ast_xhost_kind(p, &@$, &@2, $1, AST_HOST_NO_ROUTE)); }
| not URPF_FAILED
	{ MAKE($$, ast_xhost_kind(p, &@$, &@2, $1, AST_HOST_URPF_FAILED)); }
;
host:
  STRING
	{ MAKE($$, ast_str(p, &@$, AST_HOST, $1)); }
| STRING '-' STRING
	{ MAKE($$, ast_str2(p, &@$, AST_HOST_RANGE, $1, $3)); }
| STRING '/' NUMBER
	{ MAKE($$, ast_host_bits(p, &@$, $1, $3)); }
| NUMBER '/' NUMBER
	{ MAKE($$, ast_host_number(p, &@$, $1, $3)); }
| dynamic
| dynamic '/' NUMBER
	{ MAKE($$, ast_kid_num(p, &@$, AST_HOST_DYNAMIC_BITS, $1, $3)); }
| '<' STRING '>'
	{ MAKE($$, ast_str(p, &@$, AST_HOST_TABLE, $2)); }
| ROUTE STRING
	{ MAKE($$, ast_str(p, &@$, AST_HOST_ROUTE, $2)); }
;
dynamic:
  '(' STRING ')' { MAKE($$, ast_str(p, &@$, AST_HOST_DYNAMIC, $2)); }
;

/* --- ports, users, groups ---------------------------------------------- */

ports:
  port				{ $$ = ast_list(p, &@$, $1); }
| '{' nl port_list '}'		{ $$ = $3; }
;
port_list:
  port nl			{ $$ = ast_list(p, &@$, $1); }
| port_list comma port nl	{ $$ = ast_append($1, $3); }
;
port:
  port_range
	{ MAKE($$, ast_kid(p, &@$, AST_PORT_EQ, $1)); }
| unary_op port_range
	{ MAKE($$, ast_kid_num(p, &@$, AST_PORT_UNARY, $2, $1)); }
| port_range PORT_BINARY port_range
	{ MAKE($$, ast_binary(p, &@$, AST_PORT_BINARY, $1, $2, $3)); }
;
port_plain:
  value
	{ MAKE($$, ast_kid_num(p, &@$, AST_PORT_RANGE, $1, AST_PORT_PLAIN)); }
;
port_range:
  value
	{ MAKE($$, ast_kid_num(p, &@$, AST_PORT_RANGE, $1,
	    AST_PORT_RANGE_OK)); }
;
port_star:
  value
	{ MAKE($$, ast_kid_num(p, &@$, AST_PORT_RANGE, $1,
	    AST_PORT_RANGE_OK | AST_PORT_STAR_OK)); }
;
unary_op:
  '='	{ $$ = AST_OP_EQ; }
| NE	{ $$ = AST_OP_NE; }
| LE	{ $$ = AST_OP_LE; }
| '<'	{ $$ = AST_OP_LT; }
| GE	{ $$ = AST_OP_GE; }
| '>'	{ $$ = AST_OP_GT; }
;

users:
  user				{ $$ = ast_list(p, &@$, $1); }
| '{' nl user_list '}'		{ $$ = $3; }
;
user_list:
  user nl			{ $$ = ast_list(p, &@$, $1); }
| user_list comma user nl	{ $$ = ast_append($1, $3); }
;
user:
  uid			{ MAKE($$, ast_kid(p, &@$, AST_ID_EQ, $1)); }
| unary_op uid		{ MAKE($$, ast_kid_num(p, &@$, AST_ID_UNARY, $2,
			    $1)); }
| uid PORT_BINARY uid	{ MAKE($$, ast_binary(p, &@$, AST_ID_BINARY, $1, $2,
			    $3)); }
;
uid:
  value		{ MAKE($$, ast_kid_num(p, &@$, AST_ID, $1, 0)); }
;

groups:
  group				{ $$ = ast_list(p, &@$, $1); }
| '{' nl group_list '}'		{ $$ = $3; }
;
group_list:
  group nl			{ $$ = ast_list(p, &@$, $1); }
| group_list comma group nl	{ $$ = ast_append($1, $3); }
;
group:
  gid			{ MAKE($$, ast_kid(p, &@$, AST_ID_EQ, $1)); }
| unary_op gid		{ MAKE($$, ast_kid_num(p, &@$, AST_ID_UNARY, $2,
			    $1)); }
| gid PORT_BINARY gid	{ MAKE($$, ast_binary(p, &@$, AST_ID_BINARY, $1, $2,
			    $3)); }
;
gid:
  value		{ MAKE($$, ast_kid_num(p, &@$, AST_ID, $1, 1)); }
;

/* --- options of rules and anchors -------------------------------------- */

filter_opts:
  filter_begin filter_list	{ $$ = $2; }
;
filter_begin:
  %empty	{ TELL(ast_event(p, &@$, AST_FILTER_OPTS_BEGIN)); }
;
filter_list:
  %empty			{ $$ = ast_list(p, &@$, NULL); }
| filter_list filter_opt	{ $$ = ast_append($1, $2); }
| filter_list SET set_opt	{ $$ = ast_append($1, $3); }
| filter_list SET '(' set_list ')'	{ $$ = ast_splice($1, $4); }
;
filter_opt:
  USER users
	{ MAKE($$, ast_of(p, &@$, AST_OPT_USER, $2)); }
| GROUP groups
	{ MAKE($$, ast_of(p, &@$, AST_OPT_GROUP, $2)); }
| FLAGS flag '/' flag
	{ MAKE($$, ast_kids(p, &@$, AST_OPT_FLAGS, $2, $4, NULL)); }
| FLAGS '/' flag
	{ MAKE($$, ast_kids(p, &@$, AST_OPT_FLAGS, NULL, $3, NULL)); }
| FLAGS ANY
	{ MAKE($$, ast_kids(p, &@$, AST_OPT_FLAGS, NULL, NULL, NULL)); }
| ICMP_TYPE icmp_item
	{ MAKE($$, ast_icmp_one(p, &@$, PFK_AF_INET, $2)); }
| ICMP_TYPE '{' nl icmp_list '}'
	{ MAKE($$, ast_of_num(p, &@$, AST_OPT_ICMP, $4, PFK_AF_INET)); }
| ICMP6_TYPE icmp6_item
	{ MAKE($$, ast_icmp_one(p, &@$, PFK_AF_INET6, $2)); }
| ICMP6_TYPE '{' nl icmp6_list '}'
	{ MAKE($$, ast_of_num(p, &@$, AST_OPT_ICMP, $4, PFK_AF_INET6)); }
| PRIO NUMBER
	{ MAKE($$, ast_num(p, &@$, AST_OPT_PRIO, $2)); }
| TOS tos
	{ MAKE($$, ast_kid(p, &@$, AST_OPT_TOS, $2)); }
| keep
| FRAGMENT
	{ MAKE($$, ast_num(p, &@$, AST_OPT_FRAGMENT, 0)); }
| ALLOW_OPTS
	{ MAKE($$, ast_num(p, &@$, AST_OPT_ALLOW_OPTS, 0)); }
| LABEL STRING
	{ MAKE($$, ast_str(p, &@$, AST_OPT_LABEL, $2)); }
| QUEUE queue_name
	{ MAKE($$, ast_kid(p, &@$, AST_OPT_QUEUE, $2)); }
| TAG words
	{ MAKE($$, ast_str(p, &@$, AST_OPT_TAG, $2)); }
| not TAGGED words
	{ MAKE($$, ast_tagged(p, &@$, $1, $3)); }
| PROBABILITY probability
	{ MAKE($$, ast_kid(p, &@$, AST_OPT_PROBABILITY, $2)); }
| RTABLE NUMBER
	{ MAKE($$, ast_num(p, &@$, AST_OPT_RTABLE, $2)); }
| DIVERT_TO STRING PORT port_plain
	{ MAKE($$, ast_kid_str(p, &@$, AST_OPT_DIVERT_TO, $4, $2)); }
| DIVERT_REPLY
	{ MAKE($$, ast_num(p, &@$, AST_OPT_DIVERT_REPLY, 0)); }
| DIVERT_PACKET PORT port_plain
	{ MAKE($$, ast_kid(p, &@$, AST_OPT_DIVERT_PACKET, $3)); }
| SCRUB '(' scrub_begin scrub_list ')'
	{ MAKE($$, ast_of(p, &@$, AST_OPT_SCRUB, $4)); }
| NAT_TO pool
	{ MAKE($$, ast_kid(p, &@$, AST_OPT_NAT_TO, $2)); }
| RDR_TO pool
	{ MAKE($$, ast_kid(p, &@$, AST_OPT_RDR_TO, $2)); }
| BINAT_TO pool
	{ MAKE($$, ast_kid(p, &@$, AST_OPT_BINAT_TO, $2)); }
| AF_TO af FROM pool
	{ MAKE($$, ast_af_to(p, &@$, $2, $4, NULL)); }
| AF_TO af FROM pool TO pool
	{ MAKE($$, ast_af_to(p, &@$, $2, $4, $6)); }
| ROUTE_TO route_pool
	{ MAKE($$, ast_kid_num(p, &@$, AST_OPT_ROUTE, $2, AST_ROUTE_TO)); }
| REPLY_TO route_pool
	{ MAKE($$, ast_kid_num(p, &@$, AST_OPT_ROUTE, $2, AST_REPLY_TO)); }
| DUP_TO route_pool
	{ MAKE($$, ast_kid_num(p, &@$, AST_OPT_ROUTE, $2, AST_DUP_TO)); }
| not RECEIVED_ON if_item
	{ MAKE($$, ast_received_on(p, &@$, $1, $3)); }
| ONCE
	{ MAKE($$, ast_num(p, &@$, AST_OPT_ONCE, 0)); }
| MAX_PKT_RATE NUMBER '/' NUMBER
	{ MAKE($$, ast_num2(p, &@$, AST_OPT_MAX_PKT_RATE, $2, $4)); }
;

set_list:
  set_opt			{ $$ = ast_list(p, &@$, $1); }
| set_list comma set_opt	{ $$ = ast_append($1, $3); }
;
set_opt:
  prio
	{ MAKE($$, ast_kid(p, &@$, AST_OPT_SET_PRIO, $1)); }
| QUEUE queue_name
	{ MAKE($$, ast_kid(p, &@$, AST_OPT_QUEUE, $2)); }
| TOS tos
	{ MAKE($$, ast_kid(p, &@$, AST_OPT_SET_TOS, $2)); }
| DELAY NUMBER
	{ MAKE($$, ast_num(p, &@$, AST_OPT_SET_DELAY, $2)); }
;
prio:
  PRIO NUMBER
	{ MAKE($$, ast_num2(p, &@$, AST_PRIO_PAIR, $2, $2)); }
| PRIO '(' NUMBER comma NUMBER ')'
	{ MAKE($$, ast_num2(p, &@$, AST_PRIO_PAIR, $3, $5)); }
;

flag:
  STRING	{ MAKE($$, ast_str(p, &@$, AST_FLAGS, $1)); }
;
tos:
  value		{ MAKE($$, ast_kid(p, &@$, AST_TOS, $1)); }
;
probability:
  value		{ MAKE($$, ast_kid(p, &@$, AST_PROBABILITY, $1)); }
;

icmp_list:
  icmp_item nl			{ $$ = ast_list(p, &@$, $1); }
| icmp_list comma icmp_item nl	{ $$ = ast_append($1, $3); }
;
icmp_item:
  icmp_type
	{ MAKE($$, ast_icmp(p, &@$, PFK_AF_INET, $1, NULL)); }
| icmp_type CODE value
	{ MAKE($$, ast_icmp(p, &@$, PFK_AF_INET, $1, $3)); }
;
icmp_type:
  value
	{ MAKE($$, ast_kid_num(p, &@$, AST_ICMP_TYPE, $1, PFK_AF_INET)); }
;
icmp6_list:
  icmp6_item nl			{ $$ = ast_list(p, &@$, $1); }
| icmp6_list comma icmp6_item nl { $$ = ast_append($1, $3); }
;
icmp6_item:
  icmp6_type
	{ MAKE($$, ast_icmp(p, &@$, PFK_AF_INET6, $1, NULL)); }
| icmp6_type CODE value
	{ MAKE($$, ast_icmp(p, &@$, PFK_AF_INET6, $1, $3)); }
;
icmp6_type:
  value
	{ MAKE($$, ast_kid_num(p, &@$, AST_ICMP_TYPE, $1, PFK_AF_INET6)); }
;

queue_name:
  STRING
	{ MAKE($$, ast_str2(p, &@$, AST_QNAME, $1, NULL)); }
| '(' STRING ')'
	{ MAKE($$, ast_str2(p, &@$, AST_QNAME, $2, NULL)); }
| '(' STRING comma STRING ')'
	{ MAKE($$, ast_str2(p, &@$, AST_QNAME, $2, $4)); }
;

scrub_begin:
  %empty	{ TELL(ast_event(p, &@$, AST_SCRUB_BEGIN)); }
;
scrub_list:
  scrub_opt			{ $$ = ast_list(p, &@$, $1); }
| scrub_list comma scrub_opt	{ $$ = ast_append($1, $3); }
;
scrub_opt:
  NO_DF		{ MAKE($$, ast_num(p, &@$, AST_SCRUB_NO_DF, 0)); }
| MIN_TTL NUMBER { MAKE($$, ast_num(p, &@$, AST_SCRUB_MIN_TTL, $2)); }
| MAX_MSS NUMBER { MAKE($$, ast_num(p, &@$, AST_SCRUB_MAX_MSS, $2)); }
| REASSEMBLE STRING { MAKE($$, ast_str(p, &@$, AST_SCRUB_REASSEMBLE, $2)); }
| RANDOM_ID	{ MAKE($$, ast_num(p, &@$, AST_SCRUB_RANDOM_ID, 0)); }
;

/* --- states ------------------------------------------------------------ */

keep:
  NO STATE
	{ MAKE($$, ast_num(p, &@$, AST_OPT_STATE, AST_STATE_NO)); }
| KEEP STATE state_opts
	{ MAKE($$, ast_of_num(p, &@$, AST_OPT_STATE, $3, AST_STATE_KEEP)); }
| MODULATE STATE state_opts
	{ MAKE($$, ast_of_num(p, &@$, AST_OPT_STATE, $3,
	    AST_STATE_MODULATE)); }
| SYNPROXY STATE state_opts
	{ MAKE($$, ast_of_num(p, &@$, AST_OPT_STATE, $3,
	    AST_STATE_SYNPROXY)); }
;
state_opts:
  %empty			{ $$ = NULL; }
| '(' state_list ')'		{ $$ = $2; }
;
state_list:
  state_opt			{ $$ = ast_list(p, &@$, $1); }
| state_list comma state_opt	{ $$ = ast_append($1, $3); }
;
state_opt:
  MAX NUMBER
	{ MAKE($$, ast_num(p, &@$, AST_STATE_OPT_MAX, $2)); }
| NO_SYNC
	{ MAKE($$, ast_num(p, &@$, AST_STATE_OPT_NO_SYNC, 0)); }
| MAX_SRC_STATES NUMBER
	{ MAKE($$, ast_num(p, &@$, AST_STATE_OPT_MAX_SRC_STATES, $2)); }
| MAX_SRC_CONN NUMBER
	{ MAKE($$, ast_num(p, &@$, AST_STATE_OPT_MAX_SRC_CONN, $2)); }
| MAX_SRC_CONN_RATE NUMBER '/' NUMBER
	{ MAKE($$, ast_num2(p, &@$, AST_STATE_OPT_MAX_SRC_CONN_RATE, $2,
	    $4)); }
| MAX_SRC_NODES NUMBER
	{ MAKE($$, ast_num(p, &@$, AST_STATE_OPT_MAX_SRC_NODES, $2)); }
| OVERLOAD '<' STRING '>' flush
	{ MAKE($$, ast_str_num(p, &@$, AST_STATE_OPT_OVERLOAD, $3, $5)); }
| SOURCE_TRACK source_track
	{ MAKE($$, ast_num(p, &@$, AST_STATE_OPT_SOURCE_TRACK, $2)); }
| lock
	{ MAKE($$, ast_num(p, &@$, AST_STATE_OPT_LOCK, $1)); }
| SLOPPY
	{ MAKE($$, ast_num(p, &@$, AST_STATE_OPT_SLOPPY, 0)); }
| PFLOW
	{ MAKE($$, ast_num(p, &@$, AST_STATE_OPT_PFLOW, 0)); }
| STRING NUMBER
	{ MAKE($$, ast_str_num(p, &@$, AST_STATE_OPT_TIMEOUT, $1, $2)); }
;
flush:	%empty { $$ = 0; } | FLUSH { $$ = 1; } | FLUSH GLOBAL { $$ = 2; } ;
source_track:	%empty { $$ = 0; } | GLOBAL { $$ = 1; } | RULE { $$ = 2; } ;

/* --- translation, routing ---------------------------------------------- */

pool:
  pool_target pool_opts
	{ MAKE($$, ast_pool(p, &@$, AST_POOL, $1, NULL, $2)); }
| pool_target PORT port_star pool_opts
	{ MAKE($$, ast_pool(p, &@$, AST_POOL, $1, $3, $4)); }
;
route_pool:
  pool_target pool_opts
	{ MAKE($$, ast_pool(p, &@$, AST_ROUTESPEC, $1, NULL, $2)); }
;
pool_target:
  pool_addr			{ $$ = ast_list(p, &@$, $1); }
| '{' nl pool_hosts '}'		{ $$ = $3; }
;
pool_addr:
  host opt_weight	{ MAKE($$, ast_pool_host(p, &@$, $1, $2, 0)); }
;
pool_hosts:
  host opt_weight nl
	{ MAKE($$, ast_pool_list(p, &@$, $1, $2)); }
| pool_hosts comma host opt_weight nl
	{ MAKE($$, ast_pool_more(p, $1, $3, $4)); }
;
pool_opts:
  pool_begin pool_list		{ $$ = $2; }
;
pool_begin:
  %empty	{ TELL(ast_event(p, &@$, AST_POOL_BEGIN)); }
;
pool_list:
  %empty			{ $$ = ast_list(p, &@$, NULL); }
| pool_list pool_opt		{ $$ = ast_append($1, $2); }
;
pool_opt:
  BITMASK	{ MAKE($$, ast_num(p, &@$, AST_POOL_BITMASK, 0)); }
| RANDOM	{ MAKE($$, ast_num(p, &@$, AST_POOL_RANDOM, 0)); }
| SOURCE_HASH	{ MAKE($$, ast_str(p, &@$, AST_POOL_SOURCE_HASH, NULL)); }
| SOURCE_HASH words { MAKE($$, ast_str(p, &@$, AST_POOL_SOURCE_HASH, $2)); }
| ROUND_ROBIN	{ MAKE($$, ast_num(p, &@$, AST_POOL_ROUND_ROBIN, 0)); }
| LEAST_STATES	{ MAKE($$, ast_num(p, &@$, AST_POOL_LEAST_STATES, 0)); }
| STATIC_PORT	{ MAKE($$, ast_num(p, &@$, AST_POOL_STATIC_PORT, 0)); }
| STICKY_ADDRESS { MAKE($$, ast_num(p, &@$, AST_POOL_STICKY, 0)); }
;

%%

#include "grammar/symbols.h"
