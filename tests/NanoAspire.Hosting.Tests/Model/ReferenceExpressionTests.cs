namespace NanoAspire.Hosting.Tests.Model;

public sealed class ReferenceExpressionTests
{
    private readonly IDistributedApplicationBuilder _builder = DistributedApplication.CreateBuilder(["--Parameters:secret=a/b c"]);

    [Fact]
    public async Task Holes_are_filled_when_asked_and_written_as_expressions_when_published()
    {
        var secret = _builder.AddParameter("secret");
        var expression = ReferenceExpression.Create($"{{literal}} {secret} and {secret.Resource:uri}");
        Assert.Equal("{literal} a/b c and a%2Fb%20c", await expression.GetValueAsync(TestContext.Current.CancellationToken));
        Assert.Equal("{literal} {secret.value} and {secret-uri-encoded.value}", expression.ValueExpression);
        Assert.Equal("{{literal}} {0} and {1}", expression.Format);
    }

    [Fact]
    public async Task An_empty_expression_has_no_value()
    {
        Assert.Null(await ReferenceExpression.Empty.GetValueAsync(TestContext.Current.CancellationToken));
        Assert.Null(await ReferenceExpression.Create($"").GetValueAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_builder_puts_pieces_together()
    {
        var secret = _builder.AddParameter("secret");
        var pieces = new ReferenceExpressionBuilder();
        Assert.True(pieces.IsEmpty);
        pieces.Append($"a={secret}");
        pieces.AppendLiteral(";{}");
        pieces.AppendFormatted(secret.Resource, "uri");
        Assert.Equal("a=a/b c;{}a%2Fb%20c", await pieces.Build().GetValueAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task An_expression_in_an_expression_is_filled_too()
    {
        var secret = _builder.AddParameter("secret");
        var inner = ReferenceExpression.Create($"<{secret}>");
        Assert.Equal("[<a/b c>]", await ReferenceExpression.Create($"[{inner}]").GetValueAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_constant_picks_the_text_overload_and_a_hole_the_expression()
    {
        var secret = _builder.AddParameter("secret");
        var environment = await _builder.AddProject("p", "p.csproj", launchProfileName: null)
            .WithEnvironment("A", "text").WithEnvironment("B", $"x{secret}").WithEnvironment("C", secret).EnvironmentAsync();
        Assert.Equal(("text", "xa/b c", "a/b c"), (environment["A"], environment["B"], environment["C"]));
    }
}
