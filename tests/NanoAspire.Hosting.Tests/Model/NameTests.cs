namespace NanoAspire.Hosting.Tests.Model;

public sealed class NameTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("redis-2")]
    [InlineData("A0-b1-C2")]
    public void A_name_of_letters_digits_and_single_hyphens_is_accepted(string name) => Assert.Equal(name, new ProjectResource(name).Name);

    [Theory]
    [InlineData("1st")]
    [InlineData("-a")]
    [InlineData("a-")]
    [InlineData("a--b")]
    [InlineData("a_b")]
    [InlineData("ä")]
    [InlineData("a b")]
    public void Any_other_name_is_refused_with_the_name_in_the_message(string name) =>
        Assert.Contains($"'{name}'", Assert.Throws<ArgumentException>(() => new ProjectResource(name)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_name_has_at_most_64_characters()
    {
        Assert.NotNull(new ProjectResource(new string('a', 64)));
        Assert.Throws<ArgumentException>(() => new ProjectResource(new string('a', 65)));
    }

    [Fact]
    public void Two_resources_of_one_name_in_any_case_are_refused()
    {
        var builder = DistributedApplication.CreateBuilder();
        builder.AddParameter("Same", "1");
        Assert.Throws<DistributedApplicationException>(() => builder.AddParameter("same", "2"));
    }

    [Fact]
    public void A_resource_put_into_the_list_behind_the_builders_back_is_found_when_it_builds()
    {
        var builder = DistributedApplication.CreateBuilder();
        builder.AddParameter("same", "1");
        builder.Resources.Add(new ProjectResource("SAME"));
        Assert.Throws<DistributedApplicationException>(() => builder.Build());
    }
}
