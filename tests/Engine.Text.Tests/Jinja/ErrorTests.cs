using NanoAspire.Engine.Text.Jinja;

namespace NanoAspire.Tests.Text.Jinja;

public sealed class ErrorTests
{
    [Theory]
    [InlineData("\n{{ undefd.foo }}", "chat template, line 2: 'undefd' is undefined")]
    [InlineData("{{ d.nope.foo }}", "chat template, line 1: 'dict object' has no attribute 'nope'")]
    [InlineData("{{ undefd + 1 }}", "chat template, line 1: 'undefd' is undefined")]
    [InlineData("a\n{% for x in l %}\n{{ x + 'a' }}{% endfor %}", "chat template, line 3: unsupported operand type(s) for +: 'int' and 'str'")]
    [InlineData("{{ 'a' + 1 }}", "chat template, line 1: can only concatenate str (not \"int\") to str")]
    [InlineData("{{ 1 // 0 }}", "chat template, line 1: integer division or modulo by zero")]
    [InlineData("{{ foo(1) }}", "chat template, line 1: 'foo' is undefined")]
    [InlineData("{{ s() }}", "chat template, line 1: a value that is called is not callable")]
    [InlineData("{% for x in n %}{% endfor %}", "chat template, line 1: 'NoneType' object is not iterable")]
    [InlineData("{% for a, b in [(1, 2, 3)] %}{% endfor %}", "chat template, line 1: too many values to unpack (expected 2)")]
    [InlineData("{{ undefd | tojson }}", "chat template, line 1: Object of type Undefined is not JSON serializable")]
    [InlineData("{{ a | nofilter }}", "chat template, line 1: no filter named 'nofilter'")]
    [InlineData("{{ a is notest }}", "chat template, line 1: no test named 'notest'")]
    [InlineData("{{ [3, 'a'] | sort }}", "chat template, line 1: '<' not supported between instances of 'int' and 'str'")]
    [InlineData("{% set d.x = 1 %}", "chat template, line 1: cannot assign attribute on non-namespace object")]
    [InlineData("{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "chat template, line 1: m() takes at most 1 positional arguments")]
    [InlineData("{% macro m(a) %}{% endmacro %}{{ m(z=2) }}", "chat template, line 1: m() got an unexpected keyword argument 'z'")]
    [InlineData("{% macro m() %}\n\n{% endmacro %}{{ m() }}{{ n + 1 }}", "chat template, line 3: unsupported operand type(s) for +: 'NoneType' and 'int'")]
    [InlineData("{{ s.replace('l') }}", "chat template, line 1: replace() is missing the argument 'new'")]
    [InlineData("{{ {[]: 1} }}", "chat template, line 1: unhashable type: 'list'")]
    public void While_rendering_name_the_line_and_the_reason(string template, string message) => Assert.Equal(message, Template.Failure(template));

    [Theory]
    [InlineData("\n\n{% foo %}", "line 3: the tag 'foo' is unknown or not supported here")]
    [InlineData("{% include 'x' %}", "line 1: the tag 'include' is unknown or not supported here")]
    [InlineData("{% if a %}\n", "line 1: unexpected end of template, expected 'elif' or 'else' or 'endif'")]
    [InlineData("{% endif %}", "line 1: the tag 'endif' is unknown or not supported here")]
    [InlineData("{{ a", "line 1: a tag opened on line 1 is not closed")]
    [InlineData("{{ a }", "line 1: unexpected '}'")]
    [InlineData("{{ (a] }}", "line 1: unexpected ']', expected ')'")]
    [InlineData("{{ 'a }}", "line 1: a string is not closed")]
    [InlineData("{{ a b }}", "line 1: expected end of print statement, got 'b'")]
    [InlineData("{{ a + }}", "line 1: unexpected end of print statement")]
    [InlineData("{{ }}", "line 1: expected an expression, got end of print statement")]
    [InlineData("{{ $ }}", "line 1: unexpected character '$'")]
    [InlineData("{# x", "line 1: missing end of comment tag")]
    [InlineData("{% raw %}x", "line 1: missing end of raw directive")]
    [InlineData("{% break %}", "line 1: 'break' outside a loop")]
    [InlineData("{% set true = 1 %}", "line 1: cannot assign to 'true'")]
    [InlineData("{% for x of l %}{% endfor %}", "line 1: expected 'in', got 'of'")]
    [InlineData("{{ f(a=1, 2) }}", "line 1: a positional argument follows a named one")]
    [InlineData("{{ a is odd is even }}", "line 1: tests cannot be chained with 'is'")]
    public void While_parsing_name_the_line_and_the_reason(string template, string message) => Assert.Equal("chat template, " + message, Template.Failure(template));

    [Fact]
    public void Raise_exception_carries_the_template_s_own_message()
    {
        var raised = Assert.Throws<Engine.Text.ChatTemplateException>(() => Template.Render("\n{{ raise_exception('No ' ~ s) }}"));
        Assert.Equal("No Hello", raised.Message);
        Assert.True(raised.RaisedByTemplate);
        Assert.Equal(2, raised.Line);
    }

    [Theory]
    [InlineData("{% for i in range(100) %}{% for j in range(100) %}{% endfor %}{% endfor %}", "more than 1000 loop iterations")]
    [InlineData("{% for i in range(1001) %}{% endfor %}", "more than 1000 loop iterations")]
    [InlineData("{{ range(100000000) }}", "a range of more than 100000 numbers")]
    [InlineData("{% for i in range(200) %}{{ 'xxxxxxxxxx' }}{% endfor %}", "a text becomes longer than 1000 characters")]
    [InlineData("{{ 'x' * 1000000000000 }}", "a text becomes longer than 1000 characters")]
    [InlineData("{{ ([1] * 1000) * 1000000000 }}", "more than 1000 loop iterations")]
    [InlineData("{% set ns = namespace(s='xx') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", "a text becomes longer than 1000 characters")]
    [InlineData("{% for i in range(99) %}{% set s = 'x' * 900 %}{% endfor %}", "the template makes too much text")]
    [InlineData("{{ 'a'.ljust(99999999) }}", "a text becomes longer than 1000 characters")]
    [InlineData("{{ '%99999999d' % 1 }}", "a text becomes longer than 1000 characters")]
    [InlineData("{{ ('x' * 999).replace('x', 'yy') }}", "a text becomes longer than 1000 characters")]
    [InlineData("{{ 10 ** (10 ** 10) }}", "an integer becomes too large")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "macros and loops nest deeper than 50 levels")]
    [InlineData("{% set x = [] %}{% set _ = x.append(x) %}{{ x }}", "maximum recursion depth exceeded while printing a value")]
    [InlineData("{% set x = [] %}{% set _ = x.append(x) %}{{ x | tojson }}", "tojson: a value nests too deeply")]
    [InlineData("{% set x = [] %}{% set y = [] %}{% set _ = x.append(y) %}{% set _ = y.append(x) %}{{ x == y }}", "maximum recursion depth exceeded in comparison")]
    public void Runaway_templates_are_stopped(string template, string message)
    {
        var limits = new RenderLimits(MaxOutput: 1000, MaxCharacters: 20_000, MaxIterations: 1000, MaxDepth: 50);
        Assert.Equal("chat template, line 1: " + message, Template.Limited(template, limits).Message);
    }

    [Fact]
    public void Deep_nesting_is_refused_and_not_a_stack_overflow()
    {
        Assert.Contains("nests too deeply", Template.Failure("{{ " + new string('(', 5000) + "1" + new string(')', 5000) + " }}"));
        Assert.Contains("nests too deeply", Template.Failure(string.Concat(Enumerable.Repeat("{% if a %}", 5000))));
        Assert.Contains("nests too deeply", Template.Failure("{{ " + string.Concat(Enumerable.Repeat("not ", 5000)) + "1 }}"));
        Assert.Contains("nests too deeply", Template.Failure("{{ " + new string('-', 5000) + "1 }}"));
        Assert.Contains("nests too deeply", Template.Failure("{{ 1" + string.Concat(Enumerable.Repeat(" + 1", 1_000_000)) + " }}"));
    }

    [Fact]
    public void Default_limits_leave_room_for_a_long_conversation()
    {
        var messages = new System.Text.Json.Nodes.JsonArray();
        for (var i = 0; i < 2000; i++) messages.Add(new System.Text.Json.Nodes.JsonObject { ["role"] = "user", ["content"] = new string('x', 2000) });
        var template = Engine.Text.ChatTemplate.Parse("{% for m in messages[::-1] %}{% endfor %}{% for m in messages %}{{ '<' + m.role + '>' + m.content | trim + '\\n' }}{% endfor %}");
        Assert.Equal(2000 * 2007, template.Render(messages, null, false).Length);
    }
}
