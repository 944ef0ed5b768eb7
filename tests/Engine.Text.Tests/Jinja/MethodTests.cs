namespace NanoAspire.Tests.Text.Jinja;

public sealed class MethodTests
{
    [Theory]
    [InlineData("s.upper() ~ s.lower() ~ 'aB'.swapcase()", "HELLOhelloAb")]
    [InlineData("\"hello it's 3rd\".title()", "Hello It'S 3Rd")]
    [InlineData("'éCOLE'.capitalize()", "École")]
    [InlineData("'[' ~ '  x '.strip() ~ '  x '.lstrip() ~ '  x '.rstrip() ~ ']'", "[xx   x]")]
    [InlineData("'abcab'.strip('ab') ~ '\\n\\nx'.lstrip('\\n')", "cx")]
    [InlineData("'a,b,,c'.split(',')", "['a', 'b', '', 'c']")]
    [InlineData("'a,b,c'.split(',', 1)", "['a', 'b,c']")]
    [InlineData("'a,b,c'.rsplit(',', 1)", "['a,b', 'c']")]
    [InlineData("'  a b\\t c '.split()", "['a', 'b', 'c']")]
    [InlineData("' a b  c '.split(none, 1)", "['a', 'b  c ']")]
    [InlineData("' a b  c '.rsplit(none, 1)", "[' a b', 'c']")]
    [InlineData("''.split() ~ ''.split(',')", "[]['']")]
    [InlineData("'a\\r\\nb\\nc'.splitlines()", "['a', 'b', 'c']")]
    [InlineData("'a\\nb'.splitlines(true)", "['a\\n', 'b']")]
    [InlineData("'a-b-c'.partition('-')", "('a', '-', 'b-c')")]
    [InlineData("'a-b-c'.rpartition('-')", "('a-b', '-', 'c')")]
    [InlineData("'abc'.partition('x')", "('abc', '', '')")]
    [InlineData("s.startswith('He') and s.endswith(('x', 'lo')) and not s.startswith('he')", "True")]
    [InlineData("'abc'.removeprefix('a').removesuffix('c')", "b")]
    [InlineData("'aaa'.replace('a', 'b', 2) ~ 'ab'.replace('', '-')", "bba-a-b-")]
    [InlineData("emo.find('b') ~ ',' ~ emo.rfind('c') ~ ',' ~ emo.find('zz') ~ ',' ~ s.find('l', 3) ~ ',' ~ s.find('H', 1)", "2,4,-1,3,-1")]
    [InlineData("'aaa'.count('aa') ~ s.count('l') ~ s.index('o')", "124")]
    [InlineData("', '.join(['a', 'b'])", "a, b")]
    [InlineData("'7'.zfill(3) ~ '-7'.zfill(4) ~ 'ab'.ljust(4, '.') ~ 'ab'.rjust(4) ~ 'ab'.center(5, '*')", "007-007ab..  ab**ab*")]
    [InlineData("'12'.isdigit() and 'ab'.isalpha() and 'a1'.isalnum() and ' \\n'.isspace() and not ''.isspace() and 'A1'.isupper() and not '1'.islower()", "True")]
    [InlineData("'{} {1} {0!r} {a.x} {b[k]}'.replace('{}', '{0}').format('p', 2, a={'x': 3}, b={'k': 4})", "p 2 'p' 3 4")]
    [InlineData("'{:>5}|{:<4}|{:^5}|{:05d}|{:+d}|{:,}|{:.2f}|{:#x}|{:e}|{:%}'.format('a', 'b', 'c', -42, 7, 1234567, 2.675, 255, 12345.678, 0.25)", "    a|b   |  c  |-0042|+7|1,234,567|2.67|0xff|1.234568e+04|25.000000%")]
    [InlineData("'{{}} {:g} {:g} {:.3}'.format(1e10, 0.0001, 'abcdef')", "{} 1e+10 0.0001 abc")]
    public void Of_strings(string expression, string expected) => Assert.Equal(expected, Template.Print(expression));

    [Theory]
    [InlineData("{% set x = [1] %}{% set _ = x.append(2) %}{% set _ = x.extend([4, 3]) %}{% set _ = x.insert(0, 9) %}{{ x }}{{ x.pop() }}{{ x.pop(0) }}{{ x }}", "[9, 1, 2, 4, 3]39[1, 2, 4]")]
    [InlineData("{% set x = [3, 1, 2] %}{% set _ = x.sort() %}{{ x }}{% set _ = x.reverse() %}{{ x }}{% set _ = x.remove(2) %}{{ x }}{{ x.index(1) }}{{ x.count(3) }}", "[1, 2, 3][3, 2, 1][3, 1]11")]
    [InlineData("{% set x = [1] %}{% set y = x.copy() %}{% set _ = y.append(2) %}{{ x }}{{ y }}{% set _ = y.clear() %}{{ y }}", "[1][1, 2][]")]
    [InlineData("{{ (1, 2, 2).count(2) }}{{ (1, 2).append is defined }}", "2False")]
    [InlineData("{{ d.get('x') }}{{ d.get('q') }}{{ d.get('q', 7) }}{{ d.keys() | list }}{{ d.values() | first }}{{ d.items() | first }}", "1None7['x', 'y', 'z']1('x', 1)")]
    [InlineData("{% set x = {'a': 1} %}{% set _ = x.update({'b': 2}, c=3) %}{{ x.pop('a') }}{{ x.pop('a', 'no') }}{{ x.setdefault('d', 4) }}{{ x.setdefault('b') }}{{ x }}", "1no42{'b': 2, 'c': 3, 'd': 4}")]
    public void Of_lists_and_dicts(string template, string expected) => Assert.Equal(expected, Template.Render(template));

    [Fact]
    public void A_rendering_does_not_change_what_it_was_given()
    {
        var messages = System.Text.Json.Nodes.JsonNode.Parse("""[{"role":"user"}]""")!.AsArray();
        var template = Engine.Text.ChatTemplate.Parse("{% set _ = messages.append(1) %}{{ messages | length }}");
        Assert.Equal("2", template.Render(messages, null, false));
        Assert.Equal("2", template.Render(messages, null, false));
    }
}
