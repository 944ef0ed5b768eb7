namespace NanoAspire.Engine.Text.Patterns;

internal sealed partial class PatternParser
{
    /// <summary>What stands between square brackets: members, ranges, nested sets and &amp;&amp; intersections.</summary>
    private sealed class SetParser(PatternParser outer)
    {
        private readonly List<(int, int)> _ranges = [];
        private readonly List<RuneSet> _members = [];

        public RuneSet Parse()
        {
            if (++outer._depth > MaxDepth) throw outer.Error("sets nest too deeply");
            var negated = outer.Accept('^');
            RuneSet? left = null;
            for (var first = true; ; first = false)
            {
                var c = outer.Next();
                if (c == ']' && !first) break;
                if (c == '&' && outer.Accept('&'))
                {
                    left = Take(and: left);
                    continue;
                }
                Member(c);
            }
            outer._depth--;
            var set = Take(and: left);
            return negated ? RuneSet.Not(set) : set;
        }

        private RuneSet Take(RuneSet? and)
        {
            var set = new RuneSet(_ranges, members: _members, and: and);
            _ranges.Clear();
            _members.Clear();
            return set;
        }

        private void Member(int c)
        {
            if (c == '[')
            {
                if (outer.Accept(':')) throw outer.Error("POSIX classes are not supported");
                _members.Add(new SetParser(outer).Parse());
                return;
            }
            var low = c;
            if (c == '\\' && outer.ParseEscape(out low) is { } escaped)
            {
                _members.Add(escaped);
                return;
            }
            var high = low;
            if (outer._at + 1 < outer._source.Length && outer.Peek() == '-' && outer._source[outer._at + 1] is not (']' or '['))
            {
                outer._at++;
                high = outer.Next();
                if (high == '\\' && outer.ParseEscape(out high) is not null) throw outer.Error("a class cannot end a range");
                if (high < low) throw outer.Error("a range runs backwards");
            }
            if (low == high) _ranges.AddRange(CaseFolding.Variants(low, outer._ignoreCase));
            else if (!outer._ignoreCase) _ranges.Add((low, high));
            else for (var point = low; point <= high; point++) _ranges.AddRange(CaseFolding.Variants(point, fold: true));
        }
    }
}
