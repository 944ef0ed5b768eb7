using NanoAspire.Router.Nodes;
using NanoAspire.Router.Options;
using NanoAspire.Router.Tests.Fixtures;

namespace NanoAspire.Router.Tests.Nodes;

public sealed class CircuitBreakerTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly CircuitBreaker _breaker;

    public CircuitBreakerTests() => _breaker = new CircuitBreaker(new BreakerOptions { Failures = 5, OpenFor = TimeSpan.FromSeconds(10), Successes = 2 }, _time);

    [Fact]
    public void Opens_after_failures_in_a_row_only()
    {
        for (var i = 0; i < 4; i++) Fail();
        Succeed();
        for (var i = 0; i < 4; i++) Fail();
        Assert.Equal(BreakerState.Closed, _breaker.State);
        Fail();
        Assert.Equal(BreakerState.Open, _breaker.State);
        Assert.False(_breaker.Allows);
        Assert.False(_breaker.TryEnter());
    }

    [Fact]
    public void Lets_one_request_at_a_time_try_after_its_rest()
    {
        Open();
        _time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(_breaker.TryEnter());
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(BreakerState.HalfOpen, _breaker.State);
        Assert.True(_breaker.TryEnter());
        Assert.False(_breaker.TryEnter());
        Assert.False(_breaker.Allows);
    }

    [Fact]
    public void Closes_after_enough_successes()
    {
        Open();
        _time.Advance(TimeSpan.FromSeconds(10));
        Succeed();
        Assert.Equal(BreakerState.HalfOpen, _breaker.State);
        Succeed();
        Assert.Equal(BreakerState.Closed, _breaker.State);
        Assert.True(_breaker.TryEnter());
        Assert.True(_breaker.TryEnter());
    }

    [Fact]
    public void A_failed_trial_opens_it_for_another_rest()
    {
        Open();
        _time.Advance(TimeSpan.FromSeconds(10));
        Succeed();
        Fail();
        Assert.Equal(BreakerState.Open, _breaker.State);
        _time.Advance(TimeSpan.FromSeconds(10));
        Succeed();
        Assert.Equal(BreakerState.HalfOpen, _breaker.State);   // the success before the failure no longer counts
    }

    [Fact]
    public void A_trial_that_its_client_ended_frees_the_place_for_the_next()
    {
        Open();
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(_breaker.TryEnter());
        _breaker.Forget();
        Assert.True(_breaker.TryEnter());
    }

    private void Open()
    {
        for (var i = 0; i < 5; i++) Fail();
    }

    private void Fail()
    {
        Assert.True(_breaker.TryEnter());
        _breaker.Fail();
    }

    private void Succeed()
    {
        Assert.True(_breaker.TryEnter());
        _breaker.Succeed();
    }
}
