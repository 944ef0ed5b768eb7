namespace NanoAspire.Tests.Text.Jinja;

public sealed class StatementTests
{
    [Theory]
    [InlineData("{% if a == 1 %}1{% elif a == 5 %}five{% else %}other{% endif %}", "five")]
    [InlineData("{% if undefd %}a{% else %}b{% endif %}", "b")]
    [InlineData("{% if yes %}{% set x = 'in' %}{% endif %}{{ x }}", "in")]
    [InlineData("{% set a, b = 1, 2 %}{{ a }}{{ b }}", "12")]
    [InlineData("{% set x %}hello {{ s }}{% endset %}{{ x | upper }}", "HELLO HELLO")]
    [InlineData("{% set x | upper | trim %}  hi {% endset %}[{{ x }}]", "[HI]")]
    [InlineData("{% with a = 1, b = a %}{{ a }}{{ b }}{% endwith %}{{ a }}", "155")]
    [InlineData("{% filter upper %}abc{{ s }}{% endfilter %}", "ABCHELLO")]
    [InlineData("{% raw %}{{ x }} {% if %}{% endraw %}!", "{{ x }} {% if %}!")]
    [InlineData("a {# {{ nothing }} #} b", "a  b")]
    [InlineData("{% generation %}{{ a }}{% endgeneration %}", "5")]
    public void Of_every_kind(string template, string expected) => Assert.Equal(expected, Template.Render(template));

    [Theory]
    [InlineData("{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }} {% endfor %}", "1032TrueFalse31 2121FalseFalse31 3210FalseTrue31 ")]
    [InlineData("{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }};{% endfor %}", "<3>1;3<1>2;1<2>;")]
    [InlineData("{% for x in l %}{{ loop.cycle('a', 'b') }}{% endfor %}", "aba")]
    [InlineData("{% for x in [1, 1, 2] %}{{ loop.changed(x) }} {% endfor %}", "True False True ")]
    [InlineData("{% for x in [] %}a{% else %}none{% endfor %}", "none")]
    [InlineData("{% for x in undefd %}a{% else %}none{% endfor %}", "none")]
    [InlineData("{% for x in l if x > 1 %}{{ x }}:{{ loop.index }}/{{ loop.length }} {% else %}none{% endfor %}", "3:1/2 2:2/2 ")]
    [InlineData("{% for x in l if x > 9 %}{{ x }}{% else %}none{% endfor %}", "none")]
    [InlineData("{% for k, v in {'p': 1, 'q': 2}.items() %}{{ k }}={{ v }};{% endfor %}", "p=1;q=2;")]
    [InlineData("{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "123")]
    [InlineData("{% for k in {'p': 1} %}{{ k }}{% endfor %}", "p")]
    [InlineData("{% for c in emo %}[{{ c }}]{% endfor %}", "[a][😀][b][𝒜][c]")]
    [InlineData("{% for x in 1, 2 %}{{ x }}{% endfor %}", "12")]
    [InlineData("{% for x in range(9) %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 5 %}{% break %}{% endif %}{{ x }}{% endfor %}", "0134")]
    [InlineData("{% for x in l %}{% for y in l %}{% if y == 1 %}{% break %}{% endif %}{{ x }}{{ y }} {% endfor %}|{% endfor %}", "33 |13 |23 |")]
    [InlineData("{% for x in tree recursive %}{{ x.n }}@{{ loop.depth }}{% if x.c %}({{ loop(x.c) }}){% endif %}{% endfor %}", "1@1(2@23@2(4@3))")]
    public void Loops(string template, string expected) => Assert.Equal(expected, Template.Render(template));

    [Theory]
    [InlineData("{% set x = 1 %}{% for i in l %}{% set x = x + i %}{{ x }} {% endfor %}{{ x }}", "4 2 3 1")]
    [InlineData("{% set ns = namespace(x=1) %}{% for i in l %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}", "7")]
    [InlineData("{% for i in l %}{% set y = i %}{% endfor %}{{ y is defined }}{{ i is defined }}{{ loop is defined }}", "FalseFalseFalse")]
    [InlineData("{% for i in l %}{{ y is defined }}{% set y = i %}{% endfor %}", "FalseFalseFalse")]
    [InlineData("{% set x %}{% set inner = 1 %}{% endset %}{{ inner is defined }}", "False")]
    [InlineData("{% macro m() %}{% set z = 1 %}{% endmacro %}{{ m() }}{{ z is defined }}", "False")]
    [InlineData("{% macro m() %}{{ x }}{% endmacro %}{% set x = 5 %}{{ m() }}{% set x = 6 %}{{ m() }}", "56")]
    [InlineData("{% macro m() %}{{ i }}{% endmacro %}{% for i in l %}{{ m() }}{% endfor %}", "")]
    public void Scopes_end_where_jinja_ends_them(string template, string expected) => Assert.Equal(expected, Template.Render(template));

    [Theory]
    [InlineData("{% macro m(a, b=2, c=a) %}{{ a }}{{ b }}{{ c }} {% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(1, c=9) }}{{ m(b=1, a=7) }}{{ m() }}", "121 131 129 717 2 ")]
    [InlineData("{% macro m(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, z=4) }}", "1(2, 3){'z': 4}")]
    [InlineData("{% macro m(n) %}{{ n }}{% if n > 0 %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(3) }}", "3210")]
    [InlineData("{% macro m(x) -%}\n  {{ x }}\n{%- endmacro %}[{{ m('q') | upper }}]", "[Q]")]
    [InlineData("{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}body{{ a }}{% endcall %}", "[body5]")]
    [InlineData("{% macro m() %}[{{ caller(1, 2) }}]{% endmacro %}{% call(x, y) m() %}{{ x }}-{{ y }}{% endcall %}", "[1-2]")]
    public void Macros(string template, string expected) => Assert.Equal(expected, Template.Render(template));

    [Theory]
    [InlineData("one\n  {% if yes %}\n    in\n  {% endif %}\ntwo\n", "one\n    in\ntwo")]
    [InlineData("one\n  {%- if yes %}\n    in\n  {%- endif %}\ntwo", "one    intwo")]
    [InlineData("one\n  {%+ if yes +%}\n  in{% endif +%}\ntwo", "one\n  \n  in\ntwo")]
    [InlineData("x {% if yes %} y {% endif %} z", "x  y  z")]
    [InlineData("  {{ a }}\n  {{- a -}}\n  {{ a }}", "  555")]
    [InlineData("{# c #}\n  {# d #}\nx", "x")]
    [InlineData("a {#- c -#} b", "ab")]
    [InlineData("{% for x in l %}\n  - {{ x }}\n{% endfor %}\nend", "  - 3\n  - 1\n  - 2\nend")]
    [InlineData("{%- raw -%}  {{ x }}  {%- endraw -%}  z", "{{ x }}z")]
    [InlineData("{{ 1 }}\r\n{{ 2 }}\n\n", "1\n2\n")]
    [InlineData("{{ {'a': {'b': 1}}.a.b }}{{ '}}' }}{{ \"%}\" }}", "1}}%}")]
    public void White_space_goes_where_trim_and_lstrip_blocks_say(string template, string expected) => Assert.Equal(expected, Template.Render(template));
}
